/** Rows in the shape in which each source publishes its own, odd ones included, and what they must become. */
export interface PublishedShape {
  source: string;
  /** Further keys of the entry. */
  entry?: Record<string, unknown>;
  file: string;
  rows: Record<string, unknown>[];
  expected: Expected[];
  /** Rows that the source's own condition leaves out. */
  where?: number;
  quarantined?: string[];
}

export interface Expected {
  prompt: string;
  reasoning?: string | null;
  answer?: string | null;
  complete?: boolean;
  [column: string]: unknown;
}

const whole = { reasoning: 'R', answer: 'A', complete: true };
const cut = { reasoning: 'R', answer: null, complete: false };
const lost = { reasoning: null, answer: null, complete: false };
const inline = '<think>\nR\n</think>\n\nA';
const reasoningKey = 'reasoning (reasoning_content)';
const answerKey = 'response (content)';

const synthetic = {
  problem_id: 'p1',
  source: 's',
  task_type: 'verifiable_math',
  gold_standard_solution: 'G',
  verification_info: "{'answer': 'it''s', 'n': None}",
  metadata: "{'difficulty': 3, 'tags': ['a', \"b's\"], 'ok': True}",
  score: 1.0,
};
const thought = {
  question_id: 7,
  question_url: 'u',
  reference_answer: 'G',
  prev_messages: null,
  model_name: 'DeepSeek/DeepSeek-R1',
  task: 't',
  question_license: 'CC-BY-4.0',
  verifier_score: 1.0,
};
const turn = (from: string, value: string) => ({ from, value });
const message = (role: string, content: string) => ({ role, content });
const headers =
  '<|start_header_id|>system<|end_header_id|>\n\ndetailed thinking on<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nQ1<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n';
const science = {
  category: 'science',
  license: 'CC-BY-4.0',
  generator: 'DeepSeek-R1',
  used_in_training: 'yes',
  version: 'v1',
};

export const publishedShapes: PublishedShape[] = [
  {
    source: 'synthetic-1',
    file: 'data/train-0.parquet',
    rows: [
      { response_id: 'r1', prompt: 'Q1', llm_response: inline, ...synthetic },
      { response_id: 'r2', prompt: 'Q2', llm_response: 'R</think>A', ...synthetic },
      { response_id: 'r3', prompt: 'Q3', llm_response: '<think>R', ...synthetic },
      { response_id: 'r4', prompt: 'Q4', llm_response: 'R</think>A</think>B', ...synthetic, metadata: '{not a dict' },
      { response_id: 'r5', prompt: '', llm_response: inline, ...synthetic },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...whole,
        reference_answer: 'G',
        license: 'Apache-2.0',
        group: 'r1-traces',
        metadata: { metadata: { difficulty: 3, tags: ['a', "b's"], ok: true }, score: 1 },
      },
      { prompt: 'Q2', ...whole },
      { prompt: 'Q3', ...cut },
      { prompt: 'Q4', ...lost, metadata: { metadata: '{not a dict', raw: 'R</think>A</think>B' } },
    ],
    quarantined: ['empty prompt'],
  },
  {
    source: 'synthetic-1-sft',
    file: 'data/train-0.parquet',
    rows: [
      {
        response_id: 'r1',
        problem_id: 'p',
        task_type: 't',
        score: 1.0,
        messages: [message('user', 'Q1'), message('assistant', inline)],
      },
      {
        response_id: 'r2',
        problem_id: 'p',
        task_type: 't',
        score: 0.0,
        messages: [
          message('system', 'S'),
          message('user', 'Q2'),
          message('assistant', inline),
          message('user', 'again'),
          message('assistant', 'x'),
        ],
      },
      { response_id: 'r3', problem_id: 'p', task_type: 't', score: 0.0, messages: [message('user', 'Q3')] },
    ],
    expected: [
      { prompt: 'Q1', ...whole, turns: 1, system: null },
      { prompt: 'Q2', ...whole, turns: 2, system: 'S' },
      { prompt: 'Q3', ...lost },
    ],
  },
  {
    source: 'general-thought',
    file: 'data/train-0.parquet',
    rows: [
      { ...thought, question: 'Q1', model_answer: 'A', model_reasoning: 'R' },
      { ...thought, question: 'Q2', model_answer: 'A', model_reasoning: ' ' },
      { ...thought, question: 'Q3', model_answer: null, model_reasoning: 'R', question_license: null },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...whole,
        model: 'DeepSeek/DeepSeek-R1',
        license: 'CC-BY-4.0',
        reference_answer: 'G',
        metadata: { question_id: 7, verifier_score: 1 },
      },
      { prompt: 'Q2', reasoning: null, answer: 'A', complete: false },
      { prompt: 'Q3', ...cut, license: 'MIT' },
    ],
  },
  {
    source: 'am-r1-distilled',
    file: 'am_0.9M.jsonl',
    rows: ['<think>R</think> <answer>A</answer>', '<think>R</think>\nA', '<think>R</think><answer>A', '<think>R'].map(
      (content, index) => ({
        messages: [
          {
            role: 'user',
            content: `Q${index + 1}`,
            info: {
              source: 'natural',
              reference_answer: 'G',
              test_case: null,
              think_content: null,
              answer_content: null,
            },
          },
          {
            role: 'assistant',
            content,
            info: {
              source: 'natural',
              reference_answer: null,
              test_case: null,
              think_content: 'R',
              answer_content: 'A',
            },
          },
        ],
      }),
    ),
    expected: [
      { prompt: 'Q1', ...whole, reference_answer: 'G', metadata: { source: 'natural' } },
      { prompt: 'Q2', reasoning: 'R', answer: 'A', complete: false },
      { prompt: 'Q3', ...cut },
      { prompt: 'Q4', ...cut },
    ],
  },
  {
    source: 'openthoughts2',
    file: 'data/train-0.parquet',
    rows: [
      { conversations: [turn('user', 'Q1'), turn('assistant', inline)], question: 'Q1', source: 'dolphin' },
      {
        conversations: [turn('user', 'Q2'), turn('assistant', `${inline}<|im_end|>`)],
        question: 'other',
        source: null,
      },
      { conversations: [turn('user', 'Q3'), turn('assistant', 'A')], question: 'Q3', source: 'x' },
      {
        conversations: [turn('user', 'Q4'), turn('assistant', '<Thought>R</Thought><Output>A</Output>')],
        question: 'Q4',
        source: 'x',
      },
    ],
    expected: [
      { prompt: 'Q1', ...whole, metadata: { source: 'dolphin' } },
      { prompt: 'Q2', ...whole, metadata: { question: 'other' } },
      { prompt: 'Q3', ...lost, metadata: { raw: 'A' } },
      { prompt: 'Q4', ...whole },
    ],
  },
  {
    source: 'nemotron-science',
    file: 'SFT/science/science.jsonl',
    rows: [
      { input: headers, output: inline, reasoning: 'on', system_prompt: 'detailed thinking on', ...science },
      {
        input: [message('user', 'Q2')],
        output: `${inline}<|eot_id|>`,
        reasoning: 'on',
        system_prompt: null,
        ...science,
        version: 'v1.1',
      },
      {
        input: [message('user', 'Q3')],
        output: 'A',
        reasoning: 'off',
        system_prompt: 'detailed thinking off',
        ...science,
      },
      {
        input: [message('user', 'Q4')],
        output: inline,
        reasoning: 'on',
        system_prompt: null,
        ...science,
        category: 'chat',
      },
      {
        input: [message('assistant', 'no question')],
        output: inline,
        reasoning: 'on',
        system_prompt: null,
        ...science,
      },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...whole,
        system: 'detailed thinking on',
        model: 'DeepSeek-R1',
        license: 'CC-BY-4.0',
        metadata: { version: 'v1', reasoning: 'on' },
      },
      { prompt: 'Q2', ...whole, system: null },
    ],
    where: 2,
    quarantined: ['input has no user turn'],
  },
  {
    source: 'dolphin-r1',
    entry: { config: 'reasoning-deepseek' },
    file: 'dolphin-r1-reasoning-deepseek.jsonl',
    rows: [
      { messages: [message('system', 'S'), message('user', 'Q1')], reasoning: 'R', answer: 'A', model: 'DeepSeek-R1' },
      { messages: [message('user', 'Q2')], reasoning: null, answer: 'A', model: 'DeepSeek-R1' },
      {
        messages: [message('user', 'Q3'), message('assistant', 'A'), message('user', 'then?')],
        reasoning: 'R',
        answer: '',
        model: 'DeepSeek-R1',
      },
    ],
    expected: [
      { prompt: 'Q1', ...whole, system: 'S', model: 'DeepSeek-R1' },
      { prompt: 'Q2', reasoning: null, answer: 'A', complete: false },
      { prompt: 'Q3', ...cut, turns: 2 },
    ],
  },
  {
    source: 'r1-distill-sft',
    entry: { config: 'v0' },
    file: 'v0/train-0.parquet',
    rows: [
      {
        id: 'i1',
        reannotated_assistant_content: inline,
        problem: 'Q1',
        source: 's',
        solution: 'G',
        verified: null,
        quality_metrics: null,
      },
      {
        id: 'i2',
        reannotated_assistant_content: '<think>R',
        problem: 'Q2',
        source: 's',
        solution: 'G',
        verified: null,
        quality_metrics: null,
      },
    ],
    expected: [
      { prompt: 'Q1', ...whole, reference_answer: 'G', license: 'CC-BY-NC-SA-4.0' },
      { prompt: 'Q2', ...cut },
    ],
  },
  {
    source: 'r1-distill-sft',
    entry: { config: 'v1', where: 'metadata.quality_metrics is not null' },
    file: 'v1/train-0.parquet',
    rows: [
      {
        id: 'i1',
        reannotated_assistant_content: inline,
        problem: 'Q1',
        source: 's',
        solution: 'G',
        verified: true,
        quality_metrics: { quality: 1 },
        source_dataset: 'd',
        messages: [message('user', 'Q1')],
        reannotated_messages: [message('user', 'Q1')],
      },
      {
        id: 'i2',
        reannotated_assistant_content: inline,
        problem: 'Q2',
        source: 's',
        solution: 'G',
        verified: null,
        quality_metrics: null,
        source_dataset: 'd',
        messages: [message('user', 'Q2')],
        reannotated_messages: [message('user', 'Q2')],
      },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...whole,
        metadata: { source: 's', verified: true, quality_metrics: { quality: 1 }, source_dataset: 'd' },
      },
    ],
    where: 1,
  },
  {
    source: 'medical-o1',
    file: 'medical_o1_sft.json',
    rows: [
      { Question: 'Q1', Complex_CoT: 'R', Response: 'A' },
      { Question: 'Q2', Complex_CoT: '', Response: 'A' },
    ],
    expected: [
      { prompt: 'Q1', ...whole, group: 'medical' },
      { prompt: 'Q2', reasoning: null, answer: 'A', complete: false },
    ],
  },
  {
    source: 'medical-r1-distill',
    file: 'medical_r1_distill_sft.json',
    rows: [
      { question: 'Q1', [reasoningKey]: 'R', [answerKey]: 'A' },
      { question: 'Q2', [reasoningKey]: 'R', [answerKey]: null },
      { question: 5, [reasoningKey]: ['R'], [answerKey]: 'A' },
    ],
    expected: [
      { prompt: 'Q1', ...whole },
      { prompt: 'Q2', ...cut },
    ],
    quarantined: [`${reasoningKey} is not text`],
  },
  {
    source: 'medical-r1-distill-zh',
    file: 'medical_r1_distill_sft_Chinese.json',
    rows: [{ question: '急性心肌梗死怎么治疗？', [reasoningKey]: '嗯，用户问的是治疗。', [answerKey]: '阿司匹林。' }],
    expected: [
      {
        prompt: '急性心肌梗死怎么治疗？',
        reasoning: '嗯，用户问的是治疗。',
        answer: '阿司匹林。',
        complete: true,
        language: 'zh',
        prompt_words: 1,
        prompt_words_segmented: 5,
      },
    ],
  },
  {
    source: 'm23k',
    file: 'data/train-0.parquet',
    rows: [
      {
        answer_idx: 0,
        source: 'medqa',
        metadata: '{}',
        prompt: 'Q1',
        answer_letter: 'A',
        answer_string: 'G',
        reasoning: 'R',
        distilled_answer_string: 'A',
        text: '<|im_start|>think…',
      },
      {
        answer_idx: 0,
        source: 'medqa',
        metadata: '{}',
        prompt: 'Q2',
        answer_letter: 'A',
        answer_string: 'G',
        reasoning: '',
        distilled_answer_string: 'A',
        text: '',
      },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...whole,
        reference_answer: 'G',
        metadata: { answer_idx: 0, source: 'medqa', metadata: '{}', answer_letter: 'A' },
      },
      { prompt: 'Q2', reasoning: null, answer: 'A', complete: false },
    ],
  },
  {
    source: 'medmcqa',
    entry: { split: 'train' },
    file: 'data/train-0.parquet',
    rows: [
      {
        id: 'i1',
        question: 'Q1',
        opa: 'a',
        opb: 'b',
        opc: 'c',
        opd: 'd',
        cop: 2,
        choice_type: 'single',
        exp: 'E',
        subject_name: 'Anatomy',
        topic_name: null,
      },
      {
        id: 'i2',
        question: 'Q2',
        opa: 'a',
        opb: 'b',
        opc: 'c',
        opd: 'd',
        cop: -1,
        choice_type: 'multi',
        exp: null,
        subject_name: 'Anatomy',
        topic_name: null,
      },
      {
        id: 'i3',
        question: 'Q3',
        opa: 'a',
        opb: 'b',
        opc: 'c',
        opd: 'd',
        cop: 4,
        choice_type: 'multi',
        exp: null,
        subject_name: 'Anatomy',
        topic_name: null,
      },
    ],
    expected: [
      {
        prompt: 'Q1',
        ...lost,
        options: ['a', 'b', 'c', 'd'],
        reference_answer: 'c',
        finish_reason: 'no_trace',
        group: 'synthetic',
      },
      { prompt: 'Q2', ...lost, reference_answer: null, finish_reason: 'no_trace' },
    ],
    quarantined: ['cop names no option'],
  },
  {
    source: 'medmcqa',
    entry: { split: 'train', adapter: 'medmcqa-raw' },
    file: 'data/train-0.jsonl',
    rows: [
      { id: 'i1', question: 'Q1', opa: 'a', opb: 'b', opc: 'c', opd: 'd', cop: 4, choice_type: 'single', exp: 'E' },
    ],
    expected: [{ prompt: 'Q1', ...lost, reference_answer: 'd' }],
  },
  {
    source: 'medqa',
    entry: { split: 'train' },
    file: 'phrases_no_exclude_train.jsonl',
    rows: [
      {
        question: 'Q1',
        answer: 'b',
        options: { B: 'b', A: 'a', C: 'c', D: 'd' },
        meta_info: 'step1',
        answer_idx: 'B',
        metamap_phrases: ['x'],
      },
      { question: 'Q2', answer: 'b', options: ['a', 'b'], meta_info: 'step1', answer_idx: 'B', metamap_phrases: [] },
      {
        question: 'Q3',
        answer: 'b',
        options: [
          { key: 'A', value: 'a' },
          { key: 'B', value: 'b' },
        ],
        meta_info: 'step1',
        answer_idx: 'B',
        metamap_phrases: [],
      },
    ],
    expected: [
      { prompt: 'Q1', ...lost, options: ['a', 'b', 'c', 'd'], reference_answer: 'b', finish_reason: 'no_trace' },
      { prompt: 'Q2', ...lost, options: ['a', 'b'] },
      { prompt: 'Q3', ...lost, options: ['a', 'b'] },
    ],
  },
  {
    source: 'medreason',
    file: 'ours_quality_33000.jsonl',
    rows: [
      {
        dataset_name: 'medmcqa',
        id_in_dataset: 12,
        question: 'Q1',
        options: 'Answer Choices:\nA. a\nB. b',
        answer: 'A',
        reasoning: 'R',
      },
      { dataset_name: 'medqa', id_in_dataset: 12, question: 'Q2', options: '', answer: '', reasoning: 'R' },
    ],
    expected: [
      { prompt: 'Q1', ...whole, options: ['a', 'b'] },
      { prompt: 'Q2', ...cut, options: null },
    ],
  },
  {
    source: 'light-r1',
    file: 'stage2-3k.json',
    rows: [
      { conversations: [turn('human', 'Q1'), turn('gpt', inline)] },
      { conversations: [turn('human', 'Q2'), turn('gpt', '<think>R</think>')] },
      { conversations: [turn('robot', 'Q3')] },
    ],
    expected: [
      { prompt: 'Q1', ...whole, group: 'math' },
      { prompt: 'Q2', ...cut },
    ],
    quarantined: ['conversations has a turn of an unknown role'],
  },
];
