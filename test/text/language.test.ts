import { expect, it } from 'vitest';
import { languageOf } from '../../src/text/language.js';

it.each([
  ['en', 'A 45-year-old man presents with chest pain. What is the most likely diagnosis?'],
  ['en', 'Which drug lowers the serum potassium of a patient with kidney failure?'],
  ['en', 'Write a Python function that returns the sum of two numbers.'],
  ['zh', '急性心肌梗死的首选治疗是什么？请说明理由。'],
  ['zh', '患者男，45岁，因胸痛3小时入院，心电图（ECG）提示ST段抬高，应首先考虑什么诊断？'],
  ['ja', '急性心筋梗塞の治療について説明してください。'],
  ['ko', '급성 심근경색의 치료는 무엇인가요?'],
  ['de', 'Welche Therapie ist bei einem akuten Herzinfarkt die erste Wahl?'],
  ['fr', 'Quel est le traitement de première intention de l’infarctus aigu du myocarde ?'],
  ['es', '¿Cuál es el tratamiento de elección del infarto agudo de miocardio?'],
  ['nl', 'Wat is de eerste keuze bij de behandeling van een acuut hartinfarct?'],
  ['ru', 'Какое лечение показано при остром инфаркте миокарда?'],
  ['mixed', 'What is 心肌梗死?'],
  ['mixed', '患者，男，45岁，ECG shows ST elevation'],
  ['code', '```python\ndef add(a, b):\n    return a + b\n```'],
  ['code', 'import os\ndef main():\n    x = 1;\n    print(x)\nmain();'],
  ['und', '123 + 456 = ?'],
])('%s: %s', (language, text) => {
  expect(languageOf(text)).toBe(language);
});

it('a prompt of a megabyte is judged by its head', () => {
  expect(languageOf(`What is the first step of the treatment and which drug is given? ${'患者'.repeat(500_000)}`)).toBe(
    'zh',
  );
});
