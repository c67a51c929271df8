// Methods whose names are symbols, or that several classes get from one function.

/** Adds a method, as if the class had it. */
export function addMethod<T extends object>(
  prototype: T,
  key: PropertyKey,
  value: (this: T, ...given: never) => unknown,
) {
  Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
}

/**
 * Adds `[Symbol.dispose]` where the engine has that symbol. Where it has not, a computed method name would make a method
 * called "undefined".
 */
export function addDispose(prototype: { dispose(): void }): void {
  const key: symbol | undefined = (Symbol as Partial<typeof Symbol>).dispose;
  if (key)
    addMethod(prototype, key, function () {
      this.dispose();
    });
}
