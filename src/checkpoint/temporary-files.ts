// Names of temporary files, which tell who writes them, and the removal of those whose writer is dead.
import { node } from "./node.js";

const OWNER = "saveFile";
const NAME = /^\.gradstep-(?:([\da-f]+-\d+)-(\d+)-(\d+)-)?[\da-f]+\.tmp$/;
const DAY = 24 * 3600 * 1000;

/** What tells a process from all others, where Linux's /proc says it. */
interface Writer {
  /** The boot and the process namespace: process ids mean something in there alone. */
  readonly system: string;
  /** When the process started, in ticks since the boot: an id is given again, together with this it is not. */
  readonly start: string;
  /** Whether /proc has the ids of this namespace, and not those of the one around it. */
  readonly seesIds: boolean;
}

/** This process; undefined where the system does not say. */
let self: Promise<Writer | undefined> | undefined;

async function findSelf(): Promise<Writer | undefined> {
  const { files, process } = node(OWNER);
  try {
    const boot = (await files.readFile("/proc/sys/kernel/random/boot_id", "utf8")).replace(/[^\da-f]/g, "");
    const namespace = (await files.readlink("/proc/self/ns/pid")).replace(/\D/g, "");
    const { start } = readStat(await files.readFile("/proc/self/stat", "utf8"));
    const seesIds = (await files.readlink("/proc/self")) === String(process.pid);
    return boot && namespace && start ? { system: `${boot}-${namespace}`, start, seesIds } : undefined;
  } catch {
    return undefined;
  }
}

/** The state and the start of a process, from its `stat`; its name, which may have any character, ends with the last bracket. */
function readStat(text: string): { state: string | undefined; start: string | undefined } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], start: fields[19] };
}

/** A name that no other process or thread takes, of at most 124 characters whatever the file's own name is. */
export async function temporaryName(): Promise<string> {
  const writer = await (self ??= findSelf());
  const who = writer === undefined ? "" : `${writer.system}-${node(OWNER).process.pid}-${writer.start}-`;
  return `.gradstep-${who}${crypto.randomUUID().replaceAll("-", "")}.tmp`;
}

/**
 * Removes temporary files whose writer is dead. Of a process that cannot be seen from here (another container, machine or
 * boot), it is taken for dead when it has not written for a day. `present`, a file just written, has the file system's time.
 */
export async function removeLeftOver(folder: string, present: string): Promise<void> {
  const { files, paths } = node(OWNER);
  try {
    const now = (await files.lstat(present)).mtimeMs;
    for (const name of await files.readdir(folder)) {
      const match = NAME.exec(name);
      const path = paths.join(folder, name);
      if (match === null || path === present) continue;
      const [, system, pid, start] = match as (string | undefined)[];
      const seen = system !== undefined && system === (await self)?.system;
      const dead = seen ? !(await lives(Number(pid), start!)) : (await files.lstat(path)).mtimeMs < now - DAY;
      if (dead) await files.unlink(path);
    }
  } catch {
    // What cannot be looked through or removed stays: a save does not fail for it.
  }
}

/** Whether a process of this namespace lives; when in doubt, it does. */
async function lives(pid: number, start: string): Promise<boolean> {
  const { files, process } = node(OWNER);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return false;
  }
  if (!(await self)?.seesIds) return true;
  const stat = await files.readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return true;
  const found = readStat(stat);
  return found.start === start && found.state !== "Z"; // a zombie is dead, but its id not yet free
}
