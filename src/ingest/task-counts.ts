import type { TaskReport } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';

/** What a task counts of the rows that it reads; `finish` finds it in the task's report. */
export class TaskCounts {
  read = 0;
  /** Left out by `where`. */
  where = 0;
  readonly quarantined: Record<string, number> = {};

  quarantine(reason: string): void {
    this.quarantined[reason] = (this.quarantined[reason] ?? 0) + 1;
  }

  toJson(): { [name: string]: Json } {
    return { read: this.read, where: this.where, quarantined: this.quarantined };
  }
}

export interface TaskFigures {
  entry: number;
  task: number;
  file: string;
  read: number;
  where: number;
  quarantined: Record<string, number>;
}

export function figuresOf(report: TaskReport): TaskFigures {
  return report as unknown as TaskFigures;
}
