/* Runs inside a copy of a report's page, behind its own script, in a real browser. What it finds goes into the
 * document's title, which the calling test reads from the dumped page: "OK 123 checks" or "FAILED ..." */
addEventListener("load", function () {
  "use strict";
  var failures = [], checks = 0;
  function check(condition, text) {
    checks++;
    if (!condition) failures.push(text);
  }
  function visible(element) { return element.getClientRects().length > 0; }
  var tip = document.getElementById("tip");

  /* Nothing wider than the window. */
  document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  check(document.documentElement.scrollWidth <= innerWidth, "the page is wider than the window: " +
    document.documentElement.scrollWidth + " > " + innerWidth);

  var panels = document.querySelectorAll("svg.panel");
  check(panels.length > 0, "no panel");
  panels.forEach(function (svg, i) {
    var name = svg.getAttribute("aria-label"), frame = svg.getBoundingClientRect();
    /* Labels stand clear of each other and inside their drawing, large enough to read. */
    var labels = Array.from(svg.querySelectorAll("text")).filter(function (t) { return visible(t) && t.textContent; });
    var boxes = labels.map(function (t) { return t.getBoundingClientRect(); });
    boxes.forEach(function (a, j) {
      check(a.left > frame.left - 2 && a.right < frame.right + 2 && a.top > frame.top - 3 && a.bottom < frame.bottom + 3,
        name + ": " + labels[j].textContent + " leaves the drawing");
      check(parseFloat(getComputedStyle(labels[j]).fontSize) * frame.width / 480 >= 9, name + ": text too small to read");
      for (var k = j + 1; k < boxes.length; k++) {
        var b = boxes[k];
        var over = Math.min(a.right, b.right) - Math.max(a.left, b.left), under = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        /* Boxes hold the room of ascenders and descenders: an eighth of a line is no touch. */
        check(over < 1 || under < a.height / 3, name + ": " + labels[j].textContent + " and " + labels[k].textContent + " overlap");
      }
    });
    /* Every mark lies inside the frame of its axes. */
    var inside = svg.querySelector(".f").getBoundingClientRect();
    svg.querySelectorAll(".d, .m, .p").forEach(function (mark) {
      if (!visible(mark)) return;
      var box = mark.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
      check(x > inside.left - 2 && x < inside.right + 2 && y > inside.top - 2 && y < inside.bottom + 2, name + ": a mark outside the axes");
    });
    check(svg.querySelectorAll("title").length === 0, name + ": the browser's hover text would double the tip");
    if (i > 0) return;

    /* Hover, keyboard, escape. */
    var mark = Array.from(svg.querySelectorAll(".d, .m")).filter(visible)[0], at = mark.getBoundingClientRect();
    svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at.left + at.width / 2 + 1, clientY: at.top + at.height / 2 + 1, bubbles: true }));
    check(!tip.hidden && tip.textContent.length > 5, "no value under the pointer");
    var box = tip.getBoundingClientRect();
    check(box.left >= 0 && box.right <= innerWidth + 1, "the tip leaves the window");
    svg.focus();
    var first = tip.textContent;
    svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    check(!tip.hidden && tip.textContent !== first, "the arrow key shows no other value");
    svg.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    check(tip.hidden, "escape does not hide the value");
  });

  /* A switch takes its run out of every drawing and brings it back. */
  var box = document.getElementById("k0");
  if (box) {
    var group = document.querySelector("svg.panel .s0");
    box.click();
    check(!visible(group), "a switch does not hide its run");
    check(visible(document.querySelector("label[for=k0]")), "the switch hides itself");
    box.click();
    check(visible(group), "a switch does not bring its run back");
  }
  /* The three colour settings. */
  var page = function () { return getComputedStyle(document.body).backgroundColor; };
  document.getElementById("theme-dark").click();
  var dark = page();
  document.getElementById("theme-light").click();
  check(dark !== page(), "dark and light are the same");
  document.getElementById("theme-auto").click();
  document.querySelectorAll("details").forEach(function (d) { d.open = false; });
  document.title = failures.length ? "FAILED " + failures.length + ": " + failures.slice(0, 6).join("; ") : "OK " + checks + " checks";
});
