/**
 * The value of a Python literal as `str(dict)` writes it ({'a': None, 'b': True, 'c': [1, 2.5]}), or undefined where the
 * text is none. JSON is read too.
 */
export function parsePythonLiteral(text: string): unknown {
  const reader = new Reader(text);
  try {
    const value = reader.value(0);
    return reader.atEnd() ? value : undefined;
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

class NoLiteral extends Error {}

const deepest = 64;
const words: Record<string, unknown> = {
  None: null,
  True: true,
  False: false,
  null: null,
  true: true,
  false: false,
  nan: null,
  inf: null,
};
const escapes: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '\n': '',
};

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    this.skip();
    return this.at === this.text.length;
  }

  value(depth: number): unknown {
    if (depth > deepest) throw new NoLiteral();
    this.skip();
    const first = this.text[this.at];
    if (first === '{') return this.dict(depth);
    if (first === '[') return this.list(']', depth);
    if (first === '(') return this.list(')', depth);
    if (first === "'" || first === '"') return this.string(first);
    const pattern = /-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[A-Za-z]+/y;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new NoLiteral();
    this.at += found.length;
    if (Object.hasOwn(words, found)) return words[found];
    const number = Number(found);
    if (Number.isNaN(number)) throw new NoLiteral();
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? found : number;
  }

  private dict(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    this.at += 1;
    while (!this.takes('}')) {
      const key = this.value(depth + 1);
      if (!this.takes(':')) throw new NoLiteral();
      entries.push([String(key), this.value(depth + 1)]);
      if (!this.takes(',')) {
        if (!this.takes('}')) throw new NoLiteral();
        break;
      }
    }
    return Object.fromEntries(entries);
  }

  private list(close: string, depth: number): unknown[] {
    const items: unknown[] = [];
    this.at += 1;
    while (!this.takes(close)) {
      items.push(this.value(depth + 1));
      if (!this.takes(',')) {
        if (!this.takes(close)) throw new NoLiteral();
        break;
      }
    }
    return items;
  }

  private string(quote: string): string {
    let result = '';
    this.at += 1;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw new NoLiteral();
      this.at += 1;
      if (char === quote) return result;
      result += char === '\\' ? this.escape() : char;
    }
  }

  private escape(): string {
    const char = this.text[this.at];
    if (char === undefined) throw new NoLiteral();
    this.at += 1;
    const length = { x: 2, u: 4, U: 8 }[char];
    if (length === undefined) return escapes[char] ?? (/['"\\/]/.test(char) ? char : `\\${char}`);
    const code = Number.parseInt(this.text.slice(this.at, this.at + length), 16);
    if (Number.isNaN(code) || code > 0x10ffff) throw new NoLiteral();
    this.at += length;
    return String.fromCodePoint(code);
  }

  private takes(char: string): boolean {
    this.skip();
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private skip(): void {
    while (' \t\r\n'.includes(this.text[this.at] ?? 'x')) this.at += 1;
  }
}
