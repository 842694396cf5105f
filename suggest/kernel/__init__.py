"""The kernel: from what was typed to the best completions, as JSON; compiled, or plain Python.

What is typed is matched against keys with few edits, following equal characters wherever it can: an
edit (a character too many, missing, other, or two exchanged) is tried where they first differ.
Ranges of keys that match wait in a heap, which gives the best place first, however it was found.
"""
