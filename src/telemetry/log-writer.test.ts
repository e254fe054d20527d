import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LogWriter } from './log-writer.ts';
import type { LogSink } from './log-sink.ts';

/** A sink whose writes end when the test says so. */
class SlowSink implements LogSink {
  readonly chunks: string[] = [];
  #done: ((written: number) => void) | undefined;

  write(chunk: Buffer, done: (written: number) => void): void {
    if (this.#done !== undefined) throw new Error('Write to the sink: one write is outstanding already');
    this.chunks.push(chunk.toString());
    this.#done = done;
  }

  finish(written = Buffer.byteLength(this.chunks.at(-1) ?? '')): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(written);
  }
}

function writerOver(sink: LogSink, maxBytes = 100): LogWriter {
  return new LogWriter({ maxBytes, open: () => sink });
}

describe('log writer', () => {
  test('gathers lines while a write is outstanding and keeps their order', () => {
    const sink = new SlowSink();
    const writer = writerOver(sink);
    for (const line of ['one\n', 'two\n', 'three\nfour\n']) writer.write(line);
    sink.finish();
    sink.finish();
    expect(sink.chunks).toEqual(['one\n', 'two\nthree\nfour\n']);
    expect(writer.waitingBytes).toBe(0);
    expect(writer.droppedLines).toBe(0);
  });

  test('drops whole lines beyond the bound and takes lines again when there is room', () => {
    const sink = new SlowSink();
    const writer = writerOver(sink, 10);
    writer.write('12345\n');
    writer.write('67890\nabcde\n');
    writer.write('ab\n');
    expect(writer.droppedLines).toBe(2);
    sink.finish();
    writer.write('cd\n');
    sink.finish();
    sink.finish();
    expect(sink.chunks).toEqual(['12345\n', 'ab\n', 'cd\n']);
    expect(writer.droppedLines).toBe(2);
  });

  test('counts bytes, not characters', () => {
    const sink = new SlowSink();
    const writer = writerOver(sink, 6);
    writer.write('ééé\n');
    expect(writer.droppedLines).toBe(1);
    writer.write('éé\n');
    expect(writer.waitingBytes).toBe(5);
  });

  test('a line that was cut is counted, and the next one begins on a line of its own', () => {
    const sink = new SlowSink();
    const writer = writerOver(sink);
    writer.write('first\nsecond\n');
    writer.write('third\n');
    sink.finish(8);
    expect(writer.droppedLines).toBe(1);
    expect(sink.chunks[1]).toBe('\nthird\n');
    sink.finish(0);
    expect(writer.droppedLines).toBe(2);
    expect(writer.waitingBytes).toBe(0);
    writer.write('fourth\n');
    sink.finish();
    expect(sink.chunks[2]).toBe('\nfourth\n');
    writer.write('fifth\n');
    expect(sink.chunks[3]).toBe('fifth\n');
  });

  test('flush tells whether everything went out', async () => {
    const sink = new SlowSink();
    const writer = writerOver(sink);
    expect(await writer.flush(1)).toBe(true);
    writer.write('one\n');
    expect(await writer.flush(1)).toBe(false);
    const flushed = writer.flush(60_000);
    sink.finish();
    expect(await flushed).toBe(true);
  });
});

const writerUrl = new URL('./log-writer.ts', import.meta.url).href;

/** Runs module text with `writer` over its standard output; what it prints to standard error is its result. */
function child(body: string, stdout: 'pipe' | number): ChildProcess {
  const script = `
    import { LogWriter } from ${JSON.stringify(writerUrl)};
    const writer = new LogWriter();
    ${body}
    process.stderr.write(JSON.stringify({ flushed, dropped: writer.droppedLines }), () => process.exit(0));`;
  const stdio: StdioOptions = ['ignore', stdout, 'pipe'];
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio });
}

interface Result {
  readonly code: unknown;
  readonly flushed: boolean;
  readonly dropped: number;
}

async function resultOf(running: ChildProcess): Promise<Result> {
  const errors = text(running.stderr as NodeJS.ReadableStream);
  const [code] = await once(running, 'exit');
  return { code, ...(JSON.parse(await errors) as Omit<Result, 'code'>) };
}

const manyLines = (count: number): string =>
  `for (let n = 0; n < ${count}; n++) writer.write(JSON.stringify({ n, pad: 'x'.repeat(100) }) + '\\n');`;

describe('log writer on a real standard output', () => {
  test('a reader that has stopped for ever neither blocks the process nor keeps it from ending', async () => {
    // Nobody reads: the pipe and the parent's first read are full after some 100 KiB.
    const running = child(`${manyLines(100_000)} const flushed = await writer.flush(50);`, 'pipe');
    const result = await resultOf(running);
    running.stdout?.destroy();
    expect(result.code).toBe(0);
    expect(result.flushed).toBe(false);
    expect(result.dropped).toBeGreaterThan(50_000);
  }, 20_000);

  test('a reader that reads gets every line whole and in order', async () => {
    const running = child(`${manyLines(30_000)} const flushed = await writer.flush(15000);`, 'pipe');
    const output = text(running.stdout as NodeJS.ReadableStream);
    const result = await resultOf(running);
    expect(result).toEqual({ code: 0, flushed: true, dropped: 0 });
    const numbers = (await output)
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 30_000 }, (_, n) => n));
  }, 20_000);

  test('a reader that goes away costs lines, not the process', async () => {
    const running = child(
      `const alive = setInterval(() => {}, 1000);
       const gone = new Promise((go) => process.once('SIGUSR2', go));
       writer.write('hello\\n');
       await gone;
       clearInterval(alive);
       ${manyLines(3000)} const flushed = await writer.flush(15000);`,
      'pipe',
    );
    const result = resultOf(running);
    await once(running.stdout as NodeJS.ReadableStream, 'data');
    running.stdout?.destroy();
    running.kill('SIGUSR2');
    expect(await result).toEqual({ code: 0, flushed: true, dropped: 3000 });
  }, 20_000);

  test('a file gets every line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
    const file = openSync(join(folder, 'out.log'), 'a');
    try {
      const running = child(`${manyLines(5000)} const flushed = await writer.flush(15000);`, file);
      expect(await resultOf(running)).toEqual({ code: 0, flushed: true, dropped: 0 });
      expect(readFileSync(join(folder, 'out.log'), 'utf8').trimEnd().split('\n')).toHaveLength(5000);
    } finally {
      closeSync(file);
      rmSync(folder, { recursive: true });
    }
  }, 20_000);

  test('a full disk costs lines, not the process', async () => {
    const full = existsSync('/dev/full');
    const file = openSync(full ? '/dev/full' : '/dev/null', 'w');
    const running = child(`${manyLines(1000)} const flushed = await writer.flush(15000);`, file);
    closeSync(file);
    expect(await resultOf(running)).toEqual({ code: 0, flushed: true, dropped: full ? 1000 : 0 });
  }, 20_000);
});
