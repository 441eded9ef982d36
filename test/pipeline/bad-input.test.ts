import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const folder = join(import.meta.dirname, 'faults');
const pipeline = join(folder, 'pipeline.yaml');
const scratch = mkdtempSync(join(tmpdir(), 'curate-bad-input-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function curate(args: string[], cwd = scratch) {
  const ran = spawnSync(process.execPath, [command, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

/** Exit 2, one error, no stack, nothing on stdout. */
function expectRefusal(ran: ReturnType<typeof curate>, ...words: (string | RegExp)[]) {
  expect(ran).toMatchObject({ status: 2, stdout: '' });
  expect(ran.stderr.match(/^error: /gm)).toHaveLength(1);
  expect(ran.stderr).not.toMatch(/^\s+at /m);
  for (const word of words) expect(ran.stderr).toMatch(word);
}

test('no such file', () => {
  expectRefusal(curate(['run', 'nowhere.yaml']), 'no such file: nowhere.yaml', 'curate init');
  expect(existsSync(join(scratch, 'runs'))).toBe(false);
});

test('YAML that does not parse', () => {
  writeFileSync(join(scratch, 'broken.yaml'), 'name: x\nsources: [\n');
  expectRefusal(curate(['run', 'broken.yaml']), /broken\.yaml:\d+:\d+/, 'not valid YAML');
});

test('YAML of more aliases than anybody writes', () => {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]\n`;
  writeFileSync(
    join(scratch, 'bomb.yaml'),
    level('a', 'x') + level('b', '*a') + level('c', '*b') + level('d', '*c') + level('name', '*d'),
  );
  expectRefusal(curate(['run', 'bomb.yaml']), 'bomb.yaml is not valid YAML', 'alias');
});

test('a value that is long and wrong is shown by its beginning', () => {
  writeFileSync(join(scratch, 'long.yaml'), `name: [${'x, '.repeat(999)}]\nsources: []\n`);
  expect(curate(['run', 'long.yaml']).stderr.length).toBeLessThan(500);
});

test.each(['2024', 'true', '1e5'])('curate init in a folder called %s', (name) => {
  const own = join(scratch, 'named', name);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'rows.jsonl'), '{"prompt":"Why is the sky blue?","response":"<think>x</think>y"}\n');
  const ran = curate(['init'], own);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(own, 'pipeline.yaml'), 'utf8')).toContain(`name: "${name}"\n`);
});

test('an unknown command names the nearest', () => {
  const ran = curate(['explian']);
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('Did you mean explain?');
});

test('a run folder of another pipeline', () => {
  const out = join(scratch, 'other');
  expect(curate(['run', pipeline, '--out', out, '--quiet'])).toMatchObject({ status: 0 });
  const text = readFileSync(pipeline, 'utf8').replaceAll('./', `${folder}/`).replace('name: faults', 'name: another');
  writeFileSync(join(scratch, 'another.yaml'), text);
  const before = readFileSync(join(out, 'curate.lock'), 'utf8');
  expectRefusal(curate(['run', 'another.yaml', '--out', out]), 'belongs to another pipeline', '"faults"', '--out');
  expect(readFileSync(join(out, 'curate.lock'), 'utf8')).toBe(before);
});

test('a run folder of a newer version', () => {
  const out = join(scratch, 'newer');
  mkdirSync(join(out, '.curate'), { recursive: true });
  writeFileSync(join(out, '.curate', 'run.json'), JSON.stringify({ format: 99, name: 'faults', version: '9.0.0' }));
  expectRefusal(curate(['run', pipeline, '--out', out]), 'newer version', 'curate 9.0.0');
});

test('a second process in the same run folder', async () => {
  const out = join(scratch, 'busy');
  mkdirSync(join(out, '.curate'), { recursive: true });
  // A living process that holds the claim as a run does, for as long as its standard input is open.
  const hold = `import { claim } from ${JSON.stringify(join(command, '..', '..', 'store', 'claim.js'))};
    claim(${JSON.stringify(join(out, '.curate', 'claim.json'))}); console.log('held'); process.stdin.resume();`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', hold], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  expectRefusal(
    curate(['run', pipeline, '--out', out]),
    'another process works in this run folder',
    `process ${holder.pid}`,
  );
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(curate(['run', pipeline, '--out', out, '--quiet'])).toMatchObject({ status: 0 });
});

test('a folder without write permission', () => {
  const parent = join(scratch, 'read-only');
  mkdirSync(parent);
  writeFileSync(join(parent, 'file'), '');
  expectRefusal(curate(['run', pipeline, '--out', join(parent, 'file', 'run')]), '--out');
  chmodSync(parent, 0o555);
  // Root may write anywhere, so only someone else sees the permission.
  if (process.getuid?.() !== 0)
    expectRefusal(curate(['run', pipeline, '--out', join(parent, 'run')]), 'no permission to write', '--out');
  chmodSync(parent, 0o755);
});

test('a full disk, and the same command when there is room again', () => {
  const disk = join(scratch, 'disk');
  mkdirSync(disk);
  const mounted =
    process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', disk]).status === 0;
  if (!mounted) {
    // Only a machine that lets us mount a small disk can fill one; CI does.
    expect(process.env.CI).toBeUndefined();
    return;
  }
  try {
    const out = join(disk, 'run');
    expectRefusal(curate(['run', pipeline, '--out', out]), 'the disk is full', 'same command');
    expect(spawnSync('mount', ['-o', 'remount,size=64m', disk]).status).toBe(0);
    expect(curate(['run', pipeline, '--out', out, '--quiet'])).toMatchObject({ status: 0 });
    const undisturbed = join(scratch, 'undisturbed');
    expect(curate(['run', pipeline, '--out', undisturbed, '--quiet'])).toMatchObject({ status: 0 });
    expect(readFileSync(join(out, 'curate.lock'), 'utf8')).toBe(readFileSync(join(undisturbed, 'curate.lock'), 'utf8'));
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('a clock that jumps', () => {
  // Back by an hour, forward by a day, again and again, in the program and in its threads.
  const jumping = `const now = Date.now, ticks = performance.now.bind(performance); let calls = 0;
    const jump = () => ((calls += 1) % 3 === 0 ? -3.6e6 : calls % 5 === 0 ? 8.64e7 : 0);
    Date.now = () => now() + jump(); performance.now = () => ticks() + jump();`;
  const preload = join(scratch, 'jumping-clock.mjs');
  writeFileSync(preload, jumping);
  const environment = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: `--import ${preload}` };
  const [jumped, calm] = [join(scratch, 'jumped'), join(scratch, 'calm')];
  const ran = spawnSync(process.execPath, [command, 'run', pipeline, '--out', jumped], {
    encoding: 'utf8',
    env: environment,
  });
  expect(ran).toMatchObject({ status: 0 });
  expect(ran.stdout + ran.stderr).not.toMatch(/NaN|Infinity|-\d+ (s|min|h)\b/);
  expect(curate(['run', pipeline, '--out', calm, '--quiet'])).toMatchObject({ status: 0 });
  expect(readFileSync(join(jumped, 'curate.lock'), 'utf8')).toBe(readFileSync(join(calm, 'curate.lock'), 'utf8'));
  expect(curate(['status', jumped]).stdout).not.toMatch(/NaN|Infinity|-\d+ (s|min|h)\b/);
});

test('text of a row never reaches the terminal unescaped', () => {
  const hostile = join(scratch, 'hostile');
  cpSync(folder, hostile, { recursive: true });
  writeFileSync(
    join(hostile, 'more.jsonl'),
    `{"id":"\\u001b[2Jx","prompt":"\\u001b]0;owned\\u0007 What is the \\u202e capital?","reasoning":"a","answer":"b"}\nbad \x1b[31m line\n`,
  );
  const out = join(scratch, 'hostile-run');
  expect(curate(['run', join(hostile, 'pipeline.yaml'), '--out', out])).toMatchObject({ status: 0 });
  for (const args of [
    ['status', out],
    ['sample', out, '-n', '20'],
    ['explain', out, '--prompt', 'What is the'],
  ]) {
    const ran = curate(args);
    expect({ args, text: ran.stdout + ran.stderr }).toMatchObject({
      args,
      text: expect.not.stringMatching(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/),
    });
  }
});

test('one shard by curate worker is the shard that a run makes', () => {
  const [alone, helped] = [join(scratch, 'alone'), join(scratch, 'helped')];
  expect(curate(['run', pipeline, '--out', alone, '--quiet'])).toMatchObject({ status: 0 });
  expect(curate(['run', pipeline, '--out', helped, '--to', 'filter', '--quiet'])).toMatchObject({ status: 0 });
  const count = Number(curate(['worker', helped, 'decontam', 'count']).stdout);
  expect(count).toBeGreaterThan(0);
  for (let task = 0; task < count; task += 1)
    expect(curate(['worker', helped, 'decontam', String(task)])).toMatchObject({ status: 0 });
  expectRefusal(curate(['worker', helped, 'decontam', String(count)]), `has no task ${count}`);
  const written = readdirSync(join(helped, '.curate', 'tasks', 'decontam'));
  expect(written).toHaveLength(count);
  expect(curate(['run', pipeline, '--out', helped, '--quiet'])).toMatchObject({ status: 0 });
  expect(readFileSync(join(helped, 'curate.lock'), 'utf8')).toBe(readFileSync(join(alone, 'curate.lock'), 'utf8'));
});
