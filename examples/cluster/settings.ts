// What a run of the cluster is, and how those who take part learn of it.
import type { NatsConnection } from "@nats-io/nats-core";

export const clusterModels = ["mlp", "cnn"] as const;

/** What a worker must know, wherever it runs. The coordinator tells it to all who ask. */
export interface Setup {
  /** The run's name. */
  readonly run: string;
  readonly model: (typeof clusterModels)[number];
  readonly batchSize: number;
  /** The learning rate of local steps, by SGD. */
  readonly lr: number;
  /** Of the network's start and of the rows. */
  readonly seed: number;
}

/** What the coordinator must know beside. */
export interface RunSettings extends Setup {
  readonly replicas: number;
  readonly localSteps: number;
  readonly rounds: number;
  /** A file. */
  readonly checkpoint: string;
}

/** The subject of requests for the {@link Setup}. */
export const SETUP = "cluster.setup";

/** Options of every connection: it never gives up, since the server may be started again. */
export const patient = { maxReconnectAttempts: -1, reconnectTimeWait: 100, waitOnFirstConnect: true } as const;

/** Milliseconds. */
const [TIMEOUT, PAUSE] = [1000, 300];

/** Asks until a coordinator answers. */
export async function askSetup(nc: NatsConnection): Promise<Setup> {
  for (;;) {
    try {
      return (await nc.request(SETUP, "", { timeout: TIMEOUT })).json<Setup>();
    } catch (error) {
      if (nc.isClosed()) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
