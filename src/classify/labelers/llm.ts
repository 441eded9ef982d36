import { Problem } from '../../problem.js';
import type { Endpoint } from '../endpoint.js';
import type { Ledger } from '../ledger.js';
import type { Question } from '../question.js';

/** Answers in a row, from the first on, that name no label before the run stops: something is wrong with all of them. */
const hopelessAnswers = 20;

/** Votes of a language model behind an endpoint. Every answer goes to the ledger before it counts. */
export class LlmLabeler {
  private readonly endpoint: Endpoint;
  private readonly question: Question;
  private readonly ledger: Ledger;
  private valid = 0;
  private invalid = 0;
  private schema: Promise<Question['schema'] | null> | null = null;

  constructor(endpoint: Endpoint, question: Question, ledger: Ledger) {
    this.endpoint = endpoint;
    this.question = question;
    this.ledger = ledger;
  }

  /**
   * Asks for the vote on a prompt and writes it down. An answer that names no label is asked for once more, with what was
   * wrong; then the vote is invalid.
   */
  async vote(key: string, prompt: string): Promise<void> {
    this.schema ??= this.schemaTheServerTakes();
    const schema = await this.schema;
    const { question } = this;
    const first = await this.endpoint.ask(question.messages(prompt), question.answerTokens, schema);
    if (first.content === null) return this.write(key, null, first.refusal ?? 'refused', first.tokens);
    const read = question.read(first.content);
    if ('label' in read) return this.write(key, read.label, null, first.tokens);
    const second = await this.endpoint.ask(
      question.again(prompt, first.content, read.why),
      question.answerTokens,
      schema,
    );
    const tokens: [number, number] = [first.tokens[0] + second.tokens[0], first.tokens[1] + second.tokens[1]];
    const reread = question.read(second.content ?? '');
    if ('label' in reread) return this.write(key, reread.label, null, tokens);
    return this.write(key, null, second.content ?? second.refusal ?? 'refused', tokens);
  }

  /** Whether the server holds answers to a schema is found out once, by asking for one. */
  private async schemaTheServerTakes(): Promise<Question['schema'] | null> {
    const { question } = this;
    // Twice, as a server that fails now and then may fail just here.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const messages = question.messages('How many legs does a spider have?');
      const { content } = await this.endpoint.ask(messages, question.answerTokens, question.schema);
      if (content?.trim().startsWith('{') && 'label' in question.read(content)) return question.schema;
    }
    return null;
  }

  private write(key: string, label: string | null, answer: string | null, tokens: [number, number]): void {
    if (label === null) this.invalid += 1;
    else this.valid += 1;
    if (this.valid === 0 && this.invalid >= hopelessAnswers) {
      throw new Problem(`the first ${hopelessAnswers} answers of the model name none of the labels`, {
        where: 'classify.model',
        found: JSON.stringify((answer ?? '').slice(0, 120)),
        try: 'another model, or shorter labels; what was asked is described in docs/classify.md',
      });
    }
    this.ledger.add(key, { label, ...(answer === null ? {} : { invalid: answer.slice(0, 200) }), tokens });
  }
}
