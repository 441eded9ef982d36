import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { accountOf, closingSentence, reportsOf } from '../pipeline/account.js';
import type { StageName, StageReport } from '../pipeline/stage.js';
import { pipelineOf, readJson, readStageState, stageNamesOf } from '../pipeline/state.js';
import { claimant } from '../store/claim.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { showAccount, showLabeler } from './closing-report.js';
import { duration, number, Output, type OutputOptions, withCommonOptions } from './output.js';

interface StageStatus {
  stage: StageName;
  state: 'finished' | 'begun' | 'not begun';
  tasksDone: number;
  tasks: number | null;
  seconds: number | null;
  /** Of an unfinished stage, from the pace so far; null where there is none yet. */
  secondsLeft: number | null;
}

/** `curate status`. */
export function addStatus(program: Command): void {
  const command = program
    .command('status <run>')
    .summary('stages, rows by reason, what is running, how far, how long still')
    .description(
      'Says how far a run is, who works in it, and where the rows went. Changes nothing and may be asked at any time.',
    );
  withCommonOptions(command, 'curate status runs/quickstart\ncurate status runs/quickstart --json').action(
    (folder: string, options: OutputOptions) => {
      const output = new Output(options);
      const run = new RunFolder(resolve(folder));
      const pipeline = pipelineOf(run);
      const stages = stageNamesOf(pipeline).map((stage) => statusOf(run, stage));
      const account = accountOf(run, pipeline);
      const worker = claimant(run.state('claim.json'));
      const reports = reportsOf(run, pipeline);
      const rules = rulesOf(reports);
      const { decontam: _, ...rows } = account;
      const sentence = closingSentence(account);
      output.result({
        pipeline: pipeline.name,
        running: worker,
        stages: stages as unknown as Json,
        rows,
        rules: rules as unknown as Json,
        figures: Object.fromEntries([...reports].map(([stage, report]) => [stage, report.figures])),
        sentence,
      });

      output.line(
        output.paint(
          'strong',
          `${pipeline.name} · ${worker === null ? 'nobody works in it' : `process ${worker} works in it`}`,
        ),
      );
      output.line();
      output.table(
        ['stage', 'state', 'tasks', 'in', 'kept', 'took', 'left'],
        stages.map(({ stage, state, tasksDone, tasks, seconds, secondsLeft }) => [
          stage,
          state,
          tasks === null ? '' : `${number(tasksDone)} of ${number(tasks)}`,
          reports.get(stage)?.in ?? null,
          reports.get(stage)?.kept ?? null,
          seconds === null ? '' : duration(seconds),
          secondsLeft === null ? '' : duration(secondsLeft),
        ]),
      );
      showAccount(output, account);
      if (rules.length > 0) {
        output.table(
          ['rule or method', 'failed', 'failed only this'],
          rules.map((rule) => [rule.rule, rule.failed, rule.failedOnly]),
        );
        output.line();
      }
      showLabeler(output, run, pipeline);
      output.close(sentence);
    },
  );
}

function statusOf(run: RunFolder, stage: StageName): StageStatus {
  const state = readStageState(run, stage);
  const list = readJson<{ keys: string[] }>(run.state('tasks', `${stage}.json`));
  const done = taskReports(run, stage).length;
  const status = {
    stage,
    tasksDone: done,
    tasks: list?.keys.length ?? null,
    seconds: state?.seconds ?? null,
    secondsLeft: null,
  };
  if (state !== null) return { ...status, state: 'finished' };
  if (list === null) return { ...status, state: 'not begun' };
  return { ...status, state: 'begun', secondsLeft: timeLeft(run, stage, list.keys.length) };
}

function taskReports(run: RunFolder, stage: StageName): string[] {
  const folder = run.state('tasks', stage);
  return existsSync(folder) ? readdirSync(folder) : [];
}

function fileTime(path: string): number {
  return statSync(path).mtimeMs / 1000;
}

/** From the times of the task reports that a running stage has left so far. */
function timeLeft(run: RunFolder, stage: StageName, tasks: number): number | null {
  const times = taskReports(run, stage).map((file) => fileTime(run.state('tasks', stage, file)));
  const begun = fileTime(run.state('tasks', `${stage}.json`));
  const last = Math.max(...times);
  if (times.length === 0 || last <= begun) return null;
  return ((last - begun) / times.length) * (tasks - times.length);
}

interface RuleCount {
  rule: string;
  failed: number;
  failedOnly: number;
}

const reasonCounts = z.array(z.looseObject({ rule: z.string(), failed: z.number(), failedOnly: z.number() }));

/** Rules and methods. Only export puts all verdicts side by side; before it, those of the filter among themselves. */
function rulesOf(reports: ReadonlyMap<StageName, StageReport>): RuleCount[] {
  const judged = reasonCounts.safeParse(reports.get('export')?.figures.reasons).data;
  if (judged === undefined) return filterRules(reports.get('filter')?.figures ?? {});
  return judged.map(({ rule, failed, failedOnly }) => ({ rule, failed, failedOnly }));
}

/** The filter's figures hold one object per rule; what else they hold is no rule. */
function filterRules(figures: StageReport['figures']): RuleCount[] {
  return Object.entries(figures).flatMap(([rule, counts]) => {
    if (counts === null || typeof counts !== 'object' || Array.isArray(counts)) return [];
    const { failed, failed_only_this: failedOnly } = counts;
    return typeof failed === 'number' && typeof failedOnly === 'number' ? [{ rule, failed, failedOnly }] : [];
  });
}
