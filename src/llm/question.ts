export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** What a model is asked about texts, and how its answer is read. `Subject`: what one question is about. */
export interface Question<Subject = string> {
  /** Of everything that is the same in every question: together with the model and the subject it is the key of an answer. */
  fingerprint: string;
  /** Name and JSON Schema of an answer, for servers that can hold a model to one. */
  name: string;
  schema: { [key: string]: unknown };
  /** Enough for the longest answer. */
  answerTokens: number;
  /** Any subject: asked first, to find out whether the server holds answers to the schema. */
  probe: Subject;
  messages(subject: Subject): Message[];
  /** The same question again, with what was wrong about the first answer. */
  again(subject: Subject, answer: string, why: string): Message[];
  /** What an answer says, as the ledger keeps it, or why it says nothing. */
  read(answer: string, subject: Subject): { label: string } | { why: string };
  /** For a message, after "the first answers of the model": what is wrong when all of them say nothing. */
  hopeless: { what: string; try: string };
}
