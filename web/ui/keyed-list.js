/** Lists that change in place: an element that stays keeps its focus, and a press that has begun on it. */

/**
 * The elements of a list, each of a key.
 * @template {{ element: HTMLElement }} Row
 */
export class KeyedList {
  #list;
  #make;
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(key: string) => Row} make called for each new key
   */
  constructor(list, make) {
    this.#list = list;
    this.#make = make;
  }

  /**
   * Removes the elements of other keys, and adds and orders those of these.
   * @param {string[]} keys
   * @returns {Row[]} in their order
   */
  show(keys) {
    for (const [key, { element }] of this.#rows) {
      if (keys.includes(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    return keys.map((key, place) => {
      const row = this.#rows.get(key) ?? this.#make(key);
      this.#rows.set(key, row);
      if (this.#list.children[place] !== row.element) put(row.element, this.#list, place);
      return row;
    });
  }
}

/**
 * Puts an element at its place and keeps the focus, which a moved element loses.
 * @param {Element} element
 * @param {Element} list
 * @param {number} place
 */
function put(element, list, place) {
  const focus = document.activeElement;
  list.insertBefore(element, list.children[place] ?? null);
  if (focus instanceof HTMLElement && list.contains(focus)) focus.focus();
}
