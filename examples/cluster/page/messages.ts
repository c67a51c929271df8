// What the page and its worker tell each other.

/** Work for the run that there is. */
export interface Request {
  /** The server's address for WebSockets. */
  readonly server: string;
  readonly name: string;
}

export type Reply =
  | { readonly kind: "fetching" }
  | { readonly kind: "connecting" }
  | { readonly kind: "joined"; readonly run: string }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly message: string };
