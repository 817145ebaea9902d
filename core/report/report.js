/* Values under the pointer, the finger or the arrow keys. Without this script the page shows the same figures, with the
 * browser's own hover texts and the tables; the switches need no script at all. */
(function () {
  "use strict";
  var tip = document.getElementById("tip"), shown = null;

  function hide() {
    if (shown) shown.classList.remove("on");
    shown = null;
    tip.hidden = true;
  }

  function centre(mark) {
    var box = mark.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  }

  function visible(mark) { return mark.getClientRects().length > 0; }

  /* Beside the mark, inside the window. */
  function show(mark) {
    if (mark === shown) return;
    hide();
    shown = mark;
    mark.classList.add("on");
    tip.textContent = mark.infoplaneText;
    tip.hidden = false;
    var at = centre(mark), box = tip.getBoundingClientRect();
    var left = at.x + 14 + box.width > innerWidth ? at.x - 14 - box.width : at.x + 14;
    var top = at.y - box.height - 10 < 0 ? at.y + 14 : at.y - box.height - 10;
    left = Math.max(8, Math.min(left, innerWidth - box.width - 8));
    tip.style.transform = "translate(" + Math.round(left) + "px," + Math.round(top) + "px)";
  }

  function nearest(marks, x, y, reach) {
    var best = null, least = reach * reach;
    marks.forEach(function (mark) {
      if (!visible(mark)) return;
      var at = centre(mark), d = (at.x - x) * (at.x - x) + (at.y - y) * (at.y - y);
      if (d < least) { least = d; best = mark; }
    });
    return best;
  }

  /* The next visible mark: along the series with left and right, in another series with up and down. */
  function step(marks, key) {
    var seen = marks.filter(visible), i = seen.indexOf(shown);
    if (seen.length === 0) return null;
    if (i < 0) return seen[0];
    if (key === "ArrowRight" || key === "ArrowLeft")
      return seen[(i + (key === "ArrowRight" ? 1 : -1) + seen.length) % seen.length];
    var here = centre(shown), up = key === "ArrowUp";
    var others = seen.filter(function (mark) {
      var at = centre(mark);
      return up ? at.y < here.y - 0.5 : at.y > here.y + 0.5;
    });
    return nearest(others, here.x, here.y, 1e4) || shown;
  }

  document.querySelectorAll("svg.panel").forEach(function (svg) {
    var marks = [];
    svg.querySelectorAll("title").forEach(function (title) {
      var mark = title.parentNode;
      mark.infoplaneText = title.textContent;
      title.remove();
      marks.push(mark);
    });
    if (marks.length === 0) return;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-label", svg.getAttribute("aria-label") + ". Arrow keys read the values.");
    function point(event) {
      var mark = event.target.infoplaneText && event.target.classList.contains("p") ? event.target
        : nearest(marks, event.clientX, event.clientY, 32);
      if (mark) show(mark); else hide();
    }
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", function (event) { if (event.pointerType === "mouse") hide(); });
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { hide(); return; }
      if (event.key.indexOf("Arrow") !== 0) return;
      var mark = step(marks, event.key);
      if (mark) show(mark);
      event.preventDefault();
    });
  });
  addEventListener("scroll", hide, { passive: true });
})();
