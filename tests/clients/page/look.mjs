// What a person would see of the page; these functions run inside it.

/** The page in a few words: buttons and calls in their order, `enabled` by id. */
export function look() {
  const text = (id) => document.getElementById(id).textContent;
  const shown = (element) => element.offsetParent !== null;
  return {
    title: document.title,
    phase: document.body.dataset.phase,
    link: text('link'),
    message: text('message'),
    isError: document.getElementById('message').classList.contains('error'),
    state: text('state'),
    callStatus: text('call-status'),
    calls: [...document.querySelectorAll('.call-state')].map((each) => each.textContent),
    enabled: [...document.querySelectorAll('button')].filter((each) => shown(each) && each.ariaDisabled !== 'true' && !each.disabled).map((each) => each.id),
    focus: document.activeElement.id || document.activeElement.localName,
  };
}

/** Why the focus cannot be seen, or null. */
export function focusProblem() {
  const element = document.activeElement;
  if (element === document.body) return null; // on the way round
  const name = element.id || element.localName;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) return `${name} has no focus ring`;
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.height === 0 || box.bottom <= 0 || box.top >= innerHeight) return `${name} is out of sight`;
  return null;
}

/** Controls that a screen reader has no name for. */
export function nameless() {
  const named = (each) => each.textContent.trim() || each.ariaLabel || [...(each.labels ?? [])].some((label) => label.textContent.trim());
  return [...document.querySelectorAll('button, input, select, ol[tabindex]')].filter((each) => !named(each)).map((each) => each.id);
}

/** Texts with a contrast below 4.5:1 (WCAG 2, 1.4.3). */
export function dimTexts() {
  const rgba = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] === 1) return color;
      if (color[3] !== 0) throw new Error('translucent background');
    }
    throw new Error('no background');
  };
  const hasText = (element) => /^(INPUT|SELECT)$/.test(element.tagName)
    || [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const dim = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (!element.checkVisibility() || !hasText(element)) continue;
    const pair = [light(rgba(getComputedStyle(element).color)), light(backdrop(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) dim.push(`${element.id || element.className || element.localName}: ${ratio.toFixed(2)}`);
  }
  return dim;
}
