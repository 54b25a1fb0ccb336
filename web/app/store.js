/**
 * An observable value: the state of the page. Listeners are called once for all changes of a task, at its end.
 * @template {object} T
 */
export class Store {
  #state;
  #listeners = new Set();
  #pending = false;

  /** @param {T} state */
  constructor(state) {
    this.#state = state;
  }

  get state() {
    return this.#state;
  }

  /** @param {Partial<T>} changes */
  set(changes) {
    this.#state = { ...this.#state, ...changes };
    this.touch();
  }

  /** Calls the listeners for a change inside the state. */
  touch() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      for (const listener of this.#listeners) listener(this.#state);
    });
  }

  /** @param {(state: T) => void} listener called now and after every change */
  subscribe(listener) {
    this.#listeners.add(listener);
    listener(this.#state);
  }
}
