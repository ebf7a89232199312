import { parentPort, workerData } from "node:worker_threads";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";
import { z } from "zod";

/** Rates one password and ends: its dictionaries would stay in the server's memory otherwise. */
const { password, hints } = z.object({ password: z.string(), hints: z.array(z.string()) }).parse(workerData);
const rater = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
parentPort?.postMessage(rater.check(password, hints).score);
