/**
 * Gives a class `[Symbol.dispose]` where the platform has that symbol. A computed method name would, in engines without
 * it, make a method called "undefined".
 */
export function defineDispose(type: { prototype: { dispose(): void } }): void {
  if (typeof Symbol.dispose !== "symbol") return;
  Object.defineProperty(type.prototype, Symbol.dispose, {
    configurable: true,
    writable: true,
    value(this: { dispose(): void }) {
      this.dispose();
    },
  });
}
