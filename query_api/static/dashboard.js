// Keeps the dashboard up to date. The page works without this: it is then loaded anew by itself.
"use strict";

(() => {
  const board = document.getElementById("board");
  const live = document.getElementById("live");
  const source = new EventSource(board.dataset.events);

  const say = (text, state) => {
    live.textContent = text;
    live.className = `board-live ${state}`;
  };

  source.addEventListener("panels", (event) => {
    if (!board.isConnected) {
      source.close(); // a search has taken the page over
      return;
    }
    const fresh = new DOMParser().parseFromString(event.data, "text/html");
    board.replaceChildren(...document.importNode(fresh.body, true).childNodes);
    if (!live.classList.contains("is-live")) say("live", "is-live");
  });

  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) {
      say("ended: load the page again", "is-lost");
    } else {
      say("connection lost, trying again", "is-lost");
    }
  });
})();
