// The cluster: a server, a coordinator and workers, each a process; what they have done, for those who show it.
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerOptions, startServer } from "./nats-server.ts";
import { type Listener, Part } from "./part.ts";
import type { RunSettings } from "./settings.ts";
import type { Command, CoordinatorMessage, Event, Point, Result, State, WorkerMessage } from "./state.ts";

const scriptOf = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));

/** Starts a worker's process, which connects to the server. */
export const launchWorker = (server: string, name: string): ChildProcess =>
  fork(scriptOf("worker"), [server, name], { stdio: ["ignore", "ignore", "pipe", "ipc"] });

export interface ClusterOptions {
  readonly server: ServerOptions;
  readonly settings: Omit<RunSettings, "run" | "checkpoint">;
  /** How many the network has. */
  readonly parameters: number;
  readonly workers: number;
  /** Whether what dies is started again by itself, because nobody is there to do it. */
  readonly restarts: boolean;
}

/** Who shows the cluster. */
export interface View {
  event?(event: Event): void;
  round?(state: State, isLast: boolean): void;
  /** Something else has changed. */
  changed?(): void;
}

/** Milliseconds. */
const RESTART = 1000;
const MEASURE = 1000;
/** Rounds a second are those of so many milliseconds. */
const RATE = 3000;
const MOST_EVENTS = 50;

export class Cluster implements Listener {
  readonly views = new Set<View>();
  readonly points: Point[] = [];
  /** Rejects when the cluster cannot go on; resolves with each run's result. */
  readonly ended: Promise<Result>;
  readonly url: string;
  #resolve!: (result: Result) => void;
  #reject!: (error: Error) => void;
  readonly #started = Date.now();
  readonly #parts: Part[];
  readonly #timer: NodeJS.Timeout;
  #isOver = false;
  #run = 1;
  #round = 0;
  #hasRound = false; // of this coordinator's process
  #loss: number | undefined;
  #accuracy: number | undefined;
  #reissued = 0;
  #refused = 0;
  #reasons: Record<string, number> = {};
  #workers: Record<string, { rounds: number; last: number }> = {};
  #result: Result | undefined;
  #previous: Result | undefined;
  #events: Event[] = [];
  #times: number[] = [];
  #bytes: { total: number; at: number; perSecond: number } | undefined;

  constructor(readonly options: ClusterOptions) {
    const { server, workers } = options;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended.catch(() => undefined);
    this.url = `nats://127.0.0.1:${server.ports.nats}`;
    this.#parts = [
      new Part("server", "server", () => startServer(server), this),
      new Part("coordinator", "coordinator", () => this.#launchCoordinator(), this),
    ];
    for (let i = 0; i < workers; i++) this.#addWorker();
    this.#timer = setInterval(() => void this.#measure(), MEASURE);
  }

  start(): void {
    for (const part of this.#parts) part.start();
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await Promise.all(this.#parts.map((part) => part.kill()));
  }

  /** Ends all processes without waiting, for the end of this one. */
  endNow(): void {
    for (const part of this.#parts) part.killNow();
  }

  /** Does what a person asks for. */
  async do(command: Command): Promise<void> {
    if (this.#isOver) return;
    const [, coordinator] = this.#parts;
    if (command.do === "toggle") await this.#parts.find(({ name }) => name === command.name)?.toggle();
    else if (command.do === "add") this.#addWorker().start();
    else if (command.do === "nonsense") coordinator.send({});
    else await this.#again();
  }

  get state(): State {
    const { settings, server } = this.options;
    const { model, replicas, localSteps, batchSize, rounds } = settings;
    const now = Date.now();
    const recent = this.#times.filter((time) => now - time < RATE);
    return {
      started: this.#started,
      ...{ run: this.#run, model, parameters: this.options.parameters, replicas, localSteps, batchSize, rounds },
      ...{ round: this.#round, loss: this.#loss, accuracy: this.#accuracy },
      roundsPerSecond: recent.length < 2 ? 0 : ((recent.length - 1) * 1000) / (now - recent[0]),
      bytesPerSecond: this.#bytes?.perSecond ?? 0,
      ...{ reissued: this.#reissued, refused: this.#refused, reasons: this.#reasons },
      parts: this.#parts.map(({ state }) => state),
      ...{ workers: this.#workers, result: this.#result, previous: this.#previous, events: this.#events },
      ...{ server: this.url, webSocketPort: server.ports.webSocket, now },
    };
  }

  message({ role, name }: Part, message: CoordinatorMessage | WorkerMessage): void {
    if (message.kind === "round") this.#takeRound(message);
    else if (message.kind === "end") this.#takeResult(message);
    else if (message.kind === "joined" && role === "worker") this.#say(`${name} has joined`);
  }

  changed(part: Part, said?: string): void {
    const { name, role } = part;
    const { status, pid } = part.state;
    if (this.#isOver) return;
    if (status === "running") {
      this.#say(`${name} started, process ${pid}`);
      if (role === "coordinator") this.#hasRound = false;
    } else if (status === "failed") {
      const why = role === "server" ? this.#serverLog(said) : said;
      if (role !== "worker") this.#reject(new Error(`${name}: ${why}`));
      this.#say(`${name} failed: ${why}`);
    } else if (status === "killed") {
      this.#say(`${name} was killed`);
    }
    if (status !== "running" && status !== "done" && this.options.restarts)
      setTimeout(() => {
        if (!this.#isOver && this.#result === undefined) part.start();
      }, RESTART);
    for (const view of this.views) view.changed?.();
  }

  #launchCoordinator(): ChildProcess {
    const settings: RunSettings = { ...this.options.settings, run: `mnist-${this.#run}`, checkpoint: this.#checkpoint };
    const stdio = ["ignore", "ignore", "pipe", "ipc"] as const;
    return fork(scriptOf("coordinator"), [this.url, JSON.stringify(settings)], { stdio: [...stdio] });
  }

  get #checkpoint(): string {
    return join(this.options.server.folder, `mnist-${this.#run}.safetensors`);
  }

  #addWorker(): Part {
    const name = `worker-${this.#parts.length - 1}`;
    const part = new Part(name, "worker", () => launchWorker(this.url, name), this);
    this.#parts.push(part);
    return part;
  }

  /** Trains once more from the start, in a run of another name. */
  async #again(): Promise<void> {
    const [server, ...others] = this.#parts;
    await Promise.all(others.map((part) => part.kill()));
    rmSync(this.#checkpoint, { force: true });
    this.#run++;
    this.#previous = this.#result ?? this.#previous;
    this.#result = this.#loss = this.#accuracy = undefined;
    this.#round = this.#reissued = this.#refused = 0;
    this.#reasons = {};
    this.#workers = {};
    this.#times = [];
    this.points.length = 0;
    server.start();
    for (const part of others) part.start();
  }

  #takeRound(message: Extract<CoordinatorMessage, { kind: "round" }>): void {
    const { round, loss, accuracy, workers, reissued, refused, reasons } = message;
    if (!this.#hasRound && round > 1) this.#say(`the coordinator goes on from its checkpoint, at round ${round - 1}`);
    this.#hasRound = true;
    while ((this.points.at(-1)?.round ?? 0) >= round) this.points.pop();
    this.points.push({ round, loss, accuracy });
    this.#round = round;
    this.#loss = loss;
    this.#accuracy = accuracy ?? this.#accuracy;
    this.#reissued += reissued;
    this.#refused += refused;
    for (const [reason, count] of Object.entries(reasons)) this.#reasons[reason] = (this.#reasons[reason] ?? 0) + count;
    const now = Date.now();
    for (const name of workers) {
      const worker = (this.#workers[name] ??= { rounds: 0, last: now });
      worker.rounds++;
      worker.last = now;
    }
    this.#times.push(now);
    while (now - this.#times[0] > RATE) this.#times.shift();
    if (reissued > 0) this.#say(`round ${round}: ${reissued} ${reissued === 1 ? "task" : "tasks"} issued again`);
    if (refused > 0)
      this.#say(`${refused} ${refused === 1 ? "update" : "updates"} refused: ${Object.keys(reasons).join(", ")}`);
    const { state } = this;
    for (const view of this.views) view.round?.(state, round === state.rounds);
  }

  #takeResult({ round, sha, accuracy }: Result): void {
    const result = { round, sha, accuracy };
    this.#result = result;
    this.#round = result.round;
    this.#accuracy = result.accuracy;
    this.#say("the run has ended");
    this.#resolve(result);
    for (const view of this.views) view.changed?.();
  }

  #say(text: string): void {
    const event = { time: Date.now(), text };
    this.#events = [...this.#events, event].slice(-MOST_EVENTS);
    for (const view of this.views) view.event?.(event);
  }

  /** Asks the server how many bytes it has carried. */
  async #measure(): Promise<void> {
    const { monitor } = this.options.server.ports;
    try {
      const answer = await fetch(`http://127.0.0.1:${monitor}/varz`, { signal: AbortSignal.timeout(MEASURE) });
      const { in_bytes: received, out_bytes: sent } = (await answer.json()) as { in_bytes: number; out_bytes: number };
      const [total, at] = [received + sent, performance.now()];
      const { total: before = total, at: then = at } = this.#bytes ?? {};
      const perSecond = at > then ? Math.max(0, ((total - before) * 1000) / (at - then)) : 0;
      this.#bytes = { total, at, perSecond };
    } catch {
      this.#bytes = undefined; // it is down
    }
    for (const view of this.views) view.changed?.();
  }

  /** What the server says of its end. */
  #serverLog(said: string | undefined): string {
    try {
      const log = readFileSync(join(this.options.server.folder, "log"), "utf8").trim().split("\n");
      return log.filter((line) => line.includes("[FTL]")).at(-1) ?? said ?? "";
    } catch {
      return said ?? "";
    }
  }
}
