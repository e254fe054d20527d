import { Agent } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { Agent as SecureAgent } from 'node:https';

import { CallError, callHttp1, callHttp2, openHttp2 } from './call.ts';
import type { Answer, Target } from './call.ts';

/** Every request that was made, by what became of it. */
export interface LoadReport {
  readonly sent: number;
  readonly ok: number;
  /** Sent again as a client may (RFC 9110 §9.2.2, RFC 9113 §8.7). */
  readonly repeated: number;
  readonly lost: readonly string[];
  /** Serial numbers of the server's certificates, as they came up on new connections. */
  readonly serials: readonly string[];
  readonly seconds: number;
}

type Ask = (isAgain: boolean) => Promise<Answer>;

/** Clients that each ask again a moment after they were answered: on kept connections, on new ones and, over TLS, in HTTP/2. */
export class Load {
  readonly #target: Target;
  readonly #began = Date.now();
  readonly #running: Promise<void>[];
  readonly #agent: Agent;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #lost: string[] = [];
  readonly #serials = new Set<string>();
  #stopping = false;
  #sent = 0;
  #ok = 0;
  #repeated = 0;

  constructor(target: Target, clients: number, pauseMs: number) {
    this.#target = target;
    this.#agent =
      target.tls === undefined ? new Agent({ keepAlive: true }) : new SecureAgent({ keepAlive: true });
    const first = (): Ask => this.#onKept();
    const kinds = [first, () => this.#onNew()];
    if (target.tls !== undefined) kinds.push(() => this.#inSession());
    this.#running = Array.from({ length: clients }, (_, index) =>
      this.#run((kinds[index % kinds.length] ?? first)(), pauseMs),
    );
  }

  /** Serial numbers so far. */
  get serials(): readonly string[] {
    return [...this.#serials];
  }

  async stop(): Promise<LoadReport> {
    this.#stopping = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
    for (const session of this.#sessions) session.destroy();
    return {
      sent: this.#sent,
      ok: this.#ok,
      repeated: this.#repeated,
      lost: this.#lost,
      serials: this.serials,
      seconds: (Date.now() - this.#began) / 1000,
    };
  }

  async #run(ask: Ask, pauseMs: number): Promise<void> {
    while (!this.#stopping) {
      await this.#once(ask);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #once(ask: Ask): Promise<void> {
    this.#sent++;
    const at = new Date().toISOString();
    try {
      const { status, body, serial } = await this.#twice(ask);
      if (serial !== undefined) this.#serials.add(serial);
      if (status === 200) this.#ok++;
      else this.#lost.push(`${at} status ${status}: ${body.slice(0, 200)}`);
    } catch (error) {
      this.#lost.push(`${at} ${(error as Error).message}`);
    }
  }

  async #twice(ask: Ask): Promise<Answer> {
    try {
      return await ask(false);
    } catch (error) {
      if (!(error instanceof CallError) || !error.mayRepeat) throw error;
      this.#repeated++;
      return ask(true);
    }
  }

  #onKept(): Ask {
    return (isAgain) => callHttp1(this.#target, {}, isAgain ? false : this.#agent);
  }

  #onNew(): Ask {
    return () => callHttp1(this.#target);
  }

  #inSession(): Ask {
    let session: ClientHttp2Session | undefined;
    return async (isAgain) => {
      if (session === undefined || session.closed || session.destroyed || isAgain) {
        session = await openHttp2(this.#target);
        this.#sessions.push(session);
      }
      return callHttp2(session, this.#target);
    };
  }
}
