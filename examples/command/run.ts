// Runs a command of package.json: what the user can put right is one line, and the exit code says whose fault it was.
import { type Command, CommanderError } from "commander";
import { restoreTerminal } from "./bar.ts";
import { UserError } from "./errors.ts";

/** How a command is called, for messages. */
interface Call {
  /** Its name in package.json. */
  readonly script: string;
  /** A call with an option, such as `npm start -- --rule sgd`. */
  readonly example: string;
  /** Said when there is an argument that belongs to no option. */
  readonly hint: string;
}

/**
 * Runs `main` with exit code 0, 1 for a missing or damaged file, 2 for a wrong command line. The code is set, not exited with,
 * so that what was written to a pipe gets there. The program must have `exitOverride()`.
 */
export function runCommand(program: Command, call: Call, main: () => Promise<void>): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error; // the reader, such as head, has had enough
    process.exit(0);
  });
  restoreTerminal();
  const start = async (): Promise<void> => {
    checkNpm(program, call);
    program.parse();
    await main();
  };
  start().catch((error: unknown) => {
    if (error instanceof CommanderError) {
      if (error.code === "commander.excessArguments") console.error(call.hint);
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof UserError) {
      console.error(`error: ${error.message}`);
      process.exitCode = error.exitCode;
    } else {
      throw error;
    }
  });
}

/** `npm start --epochs 1`, without `--`: npm keeps the option for itself. (It has a `--json` of its own, which may be set.) */
function checkNpm(program: Command, { script, example }: Call): void {
  if (process.env.npm_lifecycle_event !== script) return;
  const names = program.options.map((option) => option.name());
  const kept = names.find((name) => name !== "json" && process.env[`npm_config_${name}`] !== undefined);
  if (kept !== undefined)
    throw new UserError(`npm kept --${kept} for itself: options go behind --, as in ${example}`, 2);
}
