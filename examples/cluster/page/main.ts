// The page of the cluster: shows what the command tells it, sends what buttons ask for, and takes part as a worker.
import "../../playground/page/locale.ts";
import { Curve } from "../../playground/digits/charts.ts";
import { byId, make, setText } from "../../playground/page/dom.ts";
import type { Command, Point, State, Update } from "../state.ts";
import { Members } from "./members.ts";
import { Tab } from "./tab.ts";

const count = (value: number): string => value.toLocaleString("en-GB");
const show = (id: string, text: string): void => setText(byId(id, HTMLElement), text);

const loss = new Curve("loss");
const accuracy = new Curve("accuracy");
const tab = new Tab();
const members = new Members(tab, (name) => send({ do: "toggle", name }));
let points: Point[] = [];
let state: State | undefined;

function send(command: Command): void {
  const headers = { "Content-Type": "application/json" };
  void fetch("/command", { method: "POST", headers, body: JSON.stringify(command) }).catch(() => undefined);
}

/** Adds points; a coordinator that went on from its checkpoint, and a new run, begin at an earlier round. */
function add(more: readonly Point[], isNewRun: boolean): void {
  const first = more.at(0)?.round ?? Infinity;
  if (isNewRun || first <= (points.at(-1)?.round ?? 0)) {
    points = isNewRun ? [] : points.filter(({ round }) => round < first);
    redraw();
  }
  points.push(...more);
  draw(more);
}

function redraw(): void {
  loss.clear();
  accuracy.clear();
  draw(points);
}

function draw(some: readonly Point[]): void {
  loss.addAll(some.map(({ round, loss }) => [round, loss]));
  accuracy.addAll(some.flatMap(({ round, accuracy }) => (accuracy === undefined ? [] : [[round, accuracy] as const])));
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB/s` : `${(bytes / 1e6).toFixed(1)} MB/s`;
}

/** The newest first. */
function showEvents({ events }: State): void {
  const list = byId("events", HTMLOListElement);
  const key = String(events.at(-1)?.time);
  if (list.dataset.last === key && list.children.length === events.length) return;
  list.dataset.last = key;
  const clock = (time: number): string => new Date(time).toLocaleTimeString("en-GB");
  list.replaceChildren(
    ...[...events].reverse().map(({ time, text }) => make("li", {}, make("time", {}, clock(time)), text)),
  );
}

/** Workers that had a part in the last rounds. */
const busy = ({ workers, now }: State): number => Object.values(workers).filter(({ last }) => now - last < 3000).length;

/** What a person should know first. */
function statusOf({ parts, result, round, rounds, workers, now }: State): string {
  const isGone = (role: string): boolean => parts.some((part) => part.role === role && part.status !== "running");
  if (result !== undefined) return `Done after ${count(result.round)} rounds.`;
  if (isGone("server")) return "The server is gone: all wait for it. Start it, and they go on.";
  if (isGone("coordinator")) return "The coordinator is gone. Start it, and it goes on from its checkpoint.";
  if (round === 0) return "Starting…";
  const isIdle = Object.values(workers).every(({ last }) => now - last > 4000);
  return isIdle ? "Nobody works: start or add a worker." : `Training, to round ${count(rounds)}.`;
}

function hear({ state: next, points: more }: Update): void {
  if (state !== undefined && state.started !== next.started) location.reload(); // another cluster
  const isNewRun = state?.run !== next.run;
  state = next;
  add(more, isNewRun);
  const { result, previous } = state;
  show(
    "task",
    `${{ mlp: "A network", cnn: "A convolutional network" }[state.model]} of ${count(state.parameters)} parameters`,
  );
  show("tasks", `${state.replicas} tasks of ${state.localSteps} steps`);
  show("status", statusOf(state));
  show("round", count(state.round));
  show("loss", state.loss === undefined ? "–" : state.loss.toPrecision(3));
  show("accuracy", state.accuracy === undefined ? "–" : `${(100 * state.accuracy).toFixed(2)}%`);
  const isOver = result !== undefined;
  show("pace", isOver ? "–" : state.roundsPerSecond.toFixed(1));
  show("busy", isOver ? "–" : count(busy(state)));
  show("bytes", isOver ? "–" : bytesText(state.bytesPerSecond));
  show("reissued", count(state.reissued));
  show("refused", count(state.refused));
  const progress = byId("progress", HTMLProgressElement);
  progress.max = state.rounds;
  progress.value = state.round;
  byId("again", HTMLElement).hidden = !isOver;
  byId("result", HTMLElement).hidden = !isOver;
  for (const what of ["add", "nonsense"]) byId(what, HTMLButtonElement).disabled = isOver;
  show("sha", `SHA-256 ${result?.sha ?? ""}`);
  const isSame = previous?.sha === result?.sha;
  const again = "Train again, kill something else, and compare.";
  show(
    "compared",
    previous === undefined ? again : isSame ? "The run before had the same." : "The run before had others!",
  );
  const isHere = ["localhost", "127.0.0.1"].includes(location.hostname);
  show("elsewhere", isHere ? "" : " or machine");
  show(
    "join",
    `npm run cluster -- join ${isHere ? state.server : state.server.replace("127.0.0.1", location.hostname)}`,
  );
  showEvents(state);
  members.show(state);
  tab.follow(state);
}

const updates = new EventSource("/updates");
updates.addEventListener("message", ({ data }: MessageEvent<string>) => hear(JSON.parse(data) as Update));
updates.addEventListener("open", () => (byId("lost", HTMLElement).hidden = true));
updates.addEventListener("error", () => (byId("lost", HTMLElement).hidden = false));
for (const what of ["add", "nonsense", "again"] as const)
  byId(what, HTMLButtonElement).addEventListener("click", () => send({ do: what }));
