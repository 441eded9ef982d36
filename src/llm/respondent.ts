import { Problem } from '../problem.js';
import type { Endpoint, ResponseFormat } from './endpoint.js';
import type { Ledger } from './ledger.js';
import type { Question } from './question.js';

/** Answers in a row, from the first on, that say nothing before the run stops: something is wrong with all of them. */
const hopelessAnswers = 20;

/** A language model behind an endpoint, asked one kind of question. Every answer goes to the ledger before it counts. */
export class Respondent<Subject> {
  private readonly endpoint: Endpoint;
  private readonly question: Question<Subject>;
  private readonly ledger: Ledger;
  private valid = 0;
  private invalid = 0;
  private format: Promise<ResponseFormat | null> | null = null;

  constructor(endpoint: Endpoint, question: Question<Subject>, ledger: Ledger) {
    this.endpoint = endpoint;
    this.question = question;
    this.ledger = ledger;
  }

  /**
   * Asks about a subject and writes the answer down. One that says nothing is asked for once more, with what was wrong;
   * then it is invalid.
   */
  async answer(key: string, subject: Subject): Promise<void> {
    this.format ??= this.formatTheServerTakes();
    const format = await this.format;
    const { question } = this;
    const first = await this.endpoint.ask(question.messages(subject), question.answerTokens, format);
    if (first.content === null) return this.write(key, null, first.refusal ?? 'refused', first.tokens);
    const read = question.read(first.content, subject);
    if ('label' in read) return this.write(key, read.label, null, first.tokens);
    const second = await this.endpoint.ask(
      question.again(subject, first.content, read.why),
      question.answerTokens,
      format,
    );
    const tokens: [number, number] = [first.tokens[0] + second.tokens[0], first.tokens[1] + second.tokens[1]];
    const reread = question.read(second.content ?? '', subject);
    if ('label' in reread) return this.write(key, reread.label, null, tokens);
    return this.write(key, null, second.content ?? second.refusal ?? 'refused', tokens);
  }

  /** Whether the server holds answers to a schema is found out once, by asking for one. */
  private async formatTheServerTakes(): Promise<ResponseFormat | null> {
    const { question } = this;
    const json_schema = { name: question.name, strict: true, schema: question.schema };
    const format: ResponseFormat = { type: 'json_schema', json_schema };
    // Twice, as a server that fails now and then may fail just here.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const messages = question.messages(question.probe);
      const { content } = await this.endpoint.ask(messages, question.answerTokens, format);
      if (content?.trim().startsWith('{') && 'label' in question.read(content, question.probe)) return format;
    }
    return null;
  }

  private write(key: string, label: string | null, answer: string | null, tokens: [number, number]): void {
    if (label === null) this.invalid += 1;
    else this.valid += 1;
    if (this.valid === 0 && this.invalid >= hopelessAnswers) {
      const { what, try: mend } = this.question.hopeless;
      throw new Problem(`the first ${hopelessAnswers} answers of the model ${what}`, {
        where: this.endpoint.modelOption,
        found: JSON.stringify((answer ?? '').slice(0, 120)),
        try: mend,
      });
    }
    this.ledger.add(key, { label, ...(answer === null ? {} : { invalid: answer.slice(0, 200) }), tokens });
  }
}
