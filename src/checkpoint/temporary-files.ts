// Names of temporary files, which identify the writing process, and removal of those whose writer is surely dead.
import { node } from "./node.js";

const OWNER = "saveFile";
const NAME = /^\.gradstep-([\da-f]+-\d+)-(\d+)-(\d+)-[\da-f]+\.tmp$/;

/** What identifies a process, from Linux's /proc. */
interface Writer {
  /** Boot id and process namespace: process ids are unique only within these. */
  readonly system: string;
  /** Start time in clock ticks since boot: tells the process from a later one with the same id. */
  readonly start: string;
  /** Whether /proc shows the ids of this namespace rather than of an outer one. */
  readonly seesIds: boolean;
}

/** This process; undefined where the system does not tell. */
let self: Promise<Writer | undefined> | undefined;
const findSelf = (): Promise<Writer | undefined> => (self ??= readSelf().catch(() => undefined));

async function readSelf(): Promise<Writer | undefined> {
  const { files, process } = node(OWNER);
  const boot = (await files.readFile("/proc/sys/kernel/random/boot_id", "utf8")).replace(/[^\da-f]/g, "");
  const namespace = (await files.readlink("/proc/self/ns/pid")).replace(/\D/g, "");
  const { start } = readStat(await files.readFile("/proc/self/stat", "utf8"));
  const seesIds = (await files.readlink("/proc/self")) === String(process.pid);
  return boot && namespace && start ? { system: `${boot}-${namespace}`, start, seesIds } : undefined;
}

/** A process's state and start time from its `stat`. The name before them may hold any character; the last bracket ends it. */
function readStat(text: string): { state: string | undefined; start: string | undefined } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], start: fields[19] };
}

/** A unique name of at most 124 characters, however long the file's own name is. */
export async function temporaryName(): Promise<string> {
  const writer = await findSelf();
  const who = writer === undefined ? "" : `${writer.system}-${node(OWNER).process.pid}-${writer.start}-`;
  return `.gradstep-${who}${crypto.randomUUID().replaceAll("-", "")}.tmp`;
}

/**
 * Removes temporary files whose writer is surely dead: a process of this boot and namespace that no longer exists. Those of
 * other containers, boots and machines stay. A failure is ignored, since the save itself can go on.
 */
export async function removeLeftOver(folder: string): Promise<void> {
  const { files, paths } = node(OWNER);
  const writer = await findSelf();
  if (writer === undefined) return;
  for (const name of await files.readdir(folder).catch(() => [])) {
    const [, system, pid, start] = NAME.exec(name) ?? [];
    if (system === writer.system && !(await mayLive(Number(pid), start, writer)))
      await files.unlink(paths.join(folder, name)).catch(() => undefined);
  }
}

/** False only when no process of this namespace has the id and the start time. */
async function mayLive(pid: number, start: string, { seesIds }: Writer): Promise<boolean> {
  const { files, process } = node(OWNER);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return false;
  }
  const stat = seesIds ? await files.readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined) : undefined;
  if (stat === undefined) return true;
  const found = readStat(stat);
  return found.start === start && found.state !== "Z"; // a zombie is dead, though its id is still taken
}
