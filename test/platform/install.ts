import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const stamp = `${here}node_modules/.runtimes.json`;

/** The folders in runtimes/: the current Node first. */
export const runtimes: readonly string[] = ["node", "node22", "node24", "node26", "bun", "deno", "workerd"]
  .concat(["edge-runtime", "chromium", "firefox", "webkit", "jsc"])
  .filter((name) => existsSync(`${here}runtimes/${name}/run.mjs`));

interface Manifest {
  /** Files that Debian's packages bring, and the packages. */
  debian?: Record<string, string>;
}
const manifest = (runtime: string): Manifest =>
  JSON.parse(readFileSync(`${here}runtimes/${runtime}/package.json`, "utf8")) as Manifest;

/** Installs the npm packages of these runtimes, unless they are there, from the lock file; others stay. */
export function installPackages(wanted: readonly string[]): void {
  const lock = createHash("sha256")
    .update(readFileSync(`${here}package-lock.json`))
    .digest("hex");
  const before = existsSync(stamp)
    ? (JSON.parse(readFileSync(stamp, "utf8")) as { lock: string; names: string[] })
    : undefined;
  const there = before?.lock === lock ? before.names : [];
  if (before?.lock === lock && wanted.every((name) => there.includes(name))) return;
  const names = [...new Set([...there, ...wanted])];
  const workspaces = names.flatMap((name) => ["--workspace", `runtimes/${name}`]);
  execFileSync("npm", ["ci", "--no-fund", "--no-audit", "--include-workspace-root", ...workspaces], {
    cwd: here,
    stdio: "inherit",
  });
  writeFileSync(stamp, JSON.stringify({ lock, names }));
}

/** Installs the Debian packages of a runtime, unless its files are there. Throws when they cannot be had. */
export function installDebian(runtime: string): void {
  const wanted = manifest(runtime).debian ?? {};
  const missing = (): string[] => Object.keys(wanted).filter((file) => !existsSync(file));
  if (missing().length === 0) return;
  const names = [...new Set(missing().map((file) => wanted[file]))];
  console.log(`installing ${names.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: string[]): void => {
    execFileSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  };
  try {
    apt("update");
    apt("install", "--yes", "--no-install-recommends", ...names);
  } catch (error) {
    throw new Error(`could not install ${names.join(", ")}: run "apt-get install ${names.join(" ")}" as root`, {
      cause: error,
    });
  }
  if (missing().length > 0) throw new Error(`${missing().join(", ")} is missing still`);
}
