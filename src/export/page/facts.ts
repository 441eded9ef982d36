import type { StageContext, StageName } from '../../pipeline/stage.js';
import type { Tables } from '../../store/tables.js';
import type { Cluster, Figures } from '../figures.js';
import type { Judge } from '../judged.js';
import type { StageFile } from '../run-facts.js';

/** What every section of the page is made from: the figures, the table `judged` and the run folder. */
export interface PageFacts {
  name: string;
  tables: Tables;
  context: StageContext;
  /** Every number that the page says. */
  figures: Figures;
  clusters: readonly Cluster[];
  judges: Judge[];
  /** What the stages before this one left about themselves. */
  stages: (StageFile & { stage: StageName })[];
}

/** Text of a few rows, by their place in `rows/`; long text is cut in DuckDB, so that no long row is ever loaded. */
export interface RowText {
  prompt: string;
  reasoning: string;
  answer: string;
  promptLength: number;
  reasoningLength: number;
  answerLength: number;
}

/** Longest prompt, reasoning and answer on the page, in characters. */
const cut = { prompt: 900, reasoning: 900, answer: 700 } as const;

/** Reads the text of rows by file and position; the answer is in the order asked. */
export async function readTexts(
  facts: PageFacts,
  places: readonly { file: string; position: number }[],
): Promise<RowText[]> {
  const found = new Map<string, RowText>();
  for (const file of [...new Set(places.map((place) => place.file))].sort()) {
    const positions = places.filter((place) => place.file === file).map((place) => place.position);
    const path = facts.context.run.file('rows', file).replaceAll("'", "''");
    const rows = await facts.tables.rows<{ position: number } & Record<string, string | number>>(
      `SELECT file_row_number AS position, ${(['prompt', 'reasoning', 'answer'] as const)
        .map(
          (column) =>
            `substr(coalesce(${column}, ''), 1, ${cut[column]}) AS ${column}, coalesce(length(${column}), 0) AS ${column}_length`,
        )
        .join(', ')}
       FROM read_parquet('${path}', file_row_number=true) WHERE file_row_number IN (${positions.join(', ')})`,
    );
    for (const row of rows) {
      found.set(`${file} ${row.position}`, {
        prompt: String(row.prompt),
        reasoning: String(row.reasoning),
        answer: String(row.answer),
        promptLength: Number(row.prompt_length),
        reasoningLength: Number(row.reasoning_length),
        answerLength: Number(row.answer_length),
      });
    }
  }
  return places.map((place) => {
    const text = found.get(`${place.file} ${place.position}`);
    if (text === undefined) throw new Error(`rows/${place.file} has no row ${place.position}`);
    return text;
  });
}
