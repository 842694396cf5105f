// Lucene's completions, for comparison: builds one of its suggesters from a file of keys, then times passes over
// a file of beginnings whenever it is told to.
//
//   java -cp <Lucene> Completions.java SUGGESTER KEYS BEGINNINGS LIMIT FOLDER
//
// KEYS has lines key<TAB>weight, BEGINNINGS one beginning a line. Commands, a line each on standard input: "pass"
// (one pass, answered by a line of JSON with nanoseconds of each lookup summed up), "results FILE" (writes what is found,
// a line a beginning, separated by tabs). The first line of output tells of the build.

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.search.suggest.InputIterator;
import org.apache.lucene.search.suggest.Lookup;
import org.apache.lucene.search.suggest.analyzing.AnalyzingInfixSuggester;
import org.apache.lucene.search.suggest.analyzing.AnalyzingSuggester;
import org.apache.lucene.search.suggest.analyzing.FuzzySuggester;
import org.apache.lucene.search.suggest.fst.WFSTCompletionLookup;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.BytesRef;

public class Completions {
  private static final int FORMS = 256; // surface forms of one analyzed form: Lucene's default

  public static void main(String[] arguments) throws IOException {
    String name = arguments[0];
    List<String> lines = Files.readAllLines(Path.of(arguments[1]));
    String[] beginnings = Files.readAllLines(Path.of(arguments[2])).toArray(String[]::new);
    int limit = Integer.parseInt(arguments[3]);
    Path folder = Path.of(arguments[4]);
    Lookup lookup = make(name, FSDirectory.open(folder));
    long began = System.nanoTime();
    lookup.build(new Keys(lines));
    double seconds = (System.nanoTime() - began) / 1e9;
    long bytes = lookup instanceof Accountable some ? some.ramBytesUsed() : 0;
    if (lookup instanceof AnalyzingInfixSuggester) bytes = size(folder);
    say("{\"build_seconds\":%f,\"bytes\":%d,\"keys\":%d}", seconds, bytes, lines.size());
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String command = commands.readLine(); command != null; command = commands.readLine()) {
      if (command.equals("pass")) pass(lookup, beginnings, limit);
      else write(lookup, beginnings, limit, Path.of(command.substring("results ".length())));
    }
  }

  private static Lookup make(String name, Directory folder) throws IOException {
    Analyzer whole = new KeywordAnalyzer();
    int options = AnalyzingSuggester.PRESERVE_SEP; // without EXACT_FIRST, which costs success@1
    return switch (name) {
      case "wfst" -> new WFSTCompletionLookup(folder, "build", false);
      case "analyzing" -> new AnalyzingSuggester(folder, "build", whole, whole, options, FORMS, -1, true);
      // The first character is taken for granted, as Lucene does unless told otherwise.
      case "fuzzy" -> fuzzy(folder, whole, options, FuzzySuggester.DEFAULT_NON_FUZZY_PREFIX);
      case "fuzzy-first" -> fuzzy(folder, whole, options, 0);
      case "infix" -> new AnalyzingInfixSuggester(folder, new WhitespaceAnalyzer());
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Lookup fuzzy(Directory folder, Analyzer whole, int options, int first) {
    boolean transpositions = true, unicode = true, increments = true;
    return new FuzzySuggester(
        folder, "build", whole, whole, options, FORMS, -1, increments, 1, transpositions, first, 3, unicode);
  }

  private static List<Lookup.LookupResult> ask(Lookup lookup, String beginning, int limit) throws IOException {
    if (lookup instanceof AnalyzingInfixSuggester infix) {
      return infix.lookup(beginning, (Set<BytesRef>) null, limit, true, false);
    }
    return lookup.lookup(beginning, (Set<BytesRef>) null, false, limit);
  }

  private static void pass(Lookup lookup, String[] beginnings, int limit) throws IOException {
    long[] nanoseconds = new long[beginnings.length];
    long found = 0, sum = 0;
    for (int i = 0; i < beginnings.length; i++) {
      long began = System.nanoTime();
      List<Lookup.LookupResult> results = ask(lookup, beginnings[i], limit);
      nanoseconds[i] = System.nanoTime() - began;
      sum += nanoseconds[i];
      found += results.size();
    }
    Arrays.sort(nanoseconds);
    say(
        "{\"lookups_per_second\":%f,\"p50_us\":%f,\"p99_us\":%f,\"found\":%d}",
        beginnings.length / (sum / 1e9),
        nanoseconds[beginnings.length / 2] / 1e3,
        nanoseconds[beginnings.length * 99 / 100] / 1e3,
        found);
  }

  private static void write(Lookup lookup, String[] beginnings, int limit, Path file) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      for (String beginning : beginnings) {
        List<String> keys = new ArrayList<>();
        for (Lookup.LookupResult result : ask(lookup, beginning, limit)) keys.add(result.key.toString());
        out.write(String.join("\t", keys));
        out.newLine();
      }
    }
    say("{\"written\":%d}", beginnings.length);
  }

  private static long size(Path folder) throws IOException {
    long bytes = 0;
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) bytes += Files.size(file);
    }
    return bytes;
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(java.util.Locale.ROOT, format, values));
    System.out.flush();
  }

  private static class Keys implements InputIterator {
    private final List<String> lines;
    private int at = -1;

    Keys(List<String> lines) {
      this.lines = lines;
    }

    @Override
    public BytesRef next() {
      if (++at >= lines.size()) return null;
      String line = lines.get(at);
      return new BytesRef(line.substring(0, line.indexOf('\t')));
    }

    @Override
    public long weight() {
      String line = lines.get(at);
      return Long.parseLong(line.substring(line.indexOf('\t') + 1));
    }

    @Override
    public BytesRef payload() {
      return null;
    }

    @Override
    public boolean hasPayloads() {
      return false;
    }

    @Override
    public Set<BytesRef> contexts() {
      return null;
    }

    @Override
    public boolean hasContexts() {
      return false;
    }
  }
}
