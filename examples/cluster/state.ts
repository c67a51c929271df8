// What processes tell the command, and what the command tells the page.
import type { Progress } from "gradstep/distributed";

/** A round, with the accuracy on test images when it was measured. */
export interface Round extends Progress {
  readonly accuracy: number | undefined;
}

/** How a run has ended. */
export interface Result {
  readonly round: number;
  /** The SHA-256 of all parameters. */
  readonly sha: string;
  /** Of all test images. */
  readonly accuracy: number;
}

/** Why a process gives up. */
interface Failure {
  readonly kind: "failed";
  readonly message: string;
}

export type CoordinatorMessage = ({ readonly kind: "round" } & Round) | ({ readonly kind: "end" } & Result) | Failure;

export type WorkerMessage =
  | { readonly kind: "joined"; readonly run: string }
  | { readonly kind: "task"; readonly round: number; readonly replica: number }
  | Failure;

export type Status = "running" | "killed" | "done" | "failed";

/** A process of the cluster. */
export interface PartState {
  readonly name: string;
  readonly role: "server" | "coordinator" | "worker";
  readonly status: Status;
  readonly pid: number | undefined;
}

/** A point of the curves. */
export interface Point {
  readonly round: number;
  readonly loss: number;
  readonly accuracy: number | undefined;
}

/** Something that happened. */
export interface Event {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly text: string;
}

/** All that the page shows but for the curves. */
export interface State {
  /** When the command was started, milliseconds since 1970. */
  readonly started: number;
  /** Runs so far, this one included. */
  readonly run: number;
  readonly model: string;
  readonly parameters: number;
  readonly replicas: number;
  readonly localSteps: number;
  readonly batchSize: number;
  readonly rounds: number;
  readonly round: number;
  readonly loss: number | undefined;
  readonly accuracy: number | undefined;
  readonly roundsPerSecond: number;
  /** Of all that the server has sent and received. */
  readonly bytesPerSecond: number;
  /** Sums over the run. */
  readonly reissued: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly parts: readonly PartState[];
  /** By worker, of any kind: the rounds in which an update of it was used, and when the last was. */
  readonly workers: Readonly<Record<string, { readonly rounds: number; readonly last: number }>>;
  readonly result: Result | undefined;
  /** How the run before this one has ended. */
  readonly previous: Result | undefined;
  readonly events: readonly Event[];
  /** Where workers of this and other machines connect, and tabs. */
  readonly server: string;
  readonly webSocketPort: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What the page is told: at first all points, then new ones; those of the same round, or a later one, are replaced. */
export interface Update {
  readonly state: State;
  readonly points: readonly Point[];
}

/** What the page asks for. */
export type Command =
  | { readonly do: "toggle"; readonly name: string }
  | { readonly do: "add" }
  | { readonly do: "nonsense" }
  | { readonly do: "again" };
