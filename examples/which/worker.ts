// A process that trains the runs it is sent, and sends back their scores.
import { type Task, type TaskName, readTask } from "./tasks.ts";
import { type Run, train } from "./train.ts";

const tasks = new Map<TaskName, Task>();

function taskOf(name: TaskName): Task {
  const task = tasks.get(name) ?? readTask(name);
  tasks.set(name, task);
  return task;
}

process.on("message", (run: Run) => process.send?.({ score: train(run, taskOf(run.task)) }));
process.on("disconnect", () => process.exit());
