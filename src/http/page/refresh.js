// Fetches the page again and swaps the parts that changed. Without JavaScript the page is whole, only not live.
(() => {
  const PERIOD_MS = 5000;
  const connection = document.getElementById("connection");

  // The status is announced by screen readers, so it is written only when it changes.
  const say = (text) => {
    if (connection.textContent !== text) connection.textContent = text;
  };

  const busy = (part) => part.contains(document.activeElement) || !window.getSelection()?.isCollapsed;

  const refresh = async () => {
    const answer = await fetch("/", { signal: AbortSignal.timeout(PERIOD_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      // What somebody has focused or selected is left alone until the next round.
      if (next && !part.isEqualNode(next) && !busy(part)) part.replaceWith(document.adoptNode(next));
    }
  };

  const round = async () => {
    try {
      if (!document.hidden) await refresh();
      say("");
    } catch {
      say("gleaner does not answer; what is shown is from the time above.");
    }
    setTimeout(round, PERIOD_MS);
  };
  setTimeout(round, PERIOD_MS);
})();
