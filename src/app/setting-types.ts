import { isIP } from 'node:net';

import { isSelectorFault, parseLabelSelector } from '../util/label-selector.ts';
import type { TlsVersion } from '../proxy/tls/tls-settings.ts';
import type { LabelSelector } from '../util/label-selector.ts';

/** How a setting's text becomes a value. */
export interface SettingType<T> {
  /** Shown after the flag in --help; undefined for switches. */
  readonly placeholder: string | undefined;
  /** What is wanted, for messages: `a whole number from 1 to 9`. */
  readonly wanted: string;
  /** undefined when the text is not what is wanted. */
  parse(text: string): T | undefined;
}

/** Go's spellings of true and false. */
export const toggle: SettingType<boolean> = {
  placeholder: undefined,
  wanted: 'true or false',
  parse: (text) => {
    if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
    return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
  },
};

export const text: SettingType<string> = {
  placeholder: '<text>',
  wanted: 'a text',
  parse: (value) => value,
};

export const path: SettingType<string> = {
  placeholder: '<path>',
  wanted: 'a path',
  parse: (value) => (value.includes('\0') ? undefined : value),
};

/** `namespace/name` of an object, or '' for none. */
export const objectName: SettingType<string> = {
  placeholder: '<namespace/name>',
  wanted: 'a namespace and a name such as default/web',
  parse: (value) => (value === '' || /^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value) ? value : undefined),
};

/** Names of namespaces (RFC 1123 labels), separated by commas; '' for none. */
export const namespaces: SettingType<readonly string[]> = {
  placeholder: '<namespaces>',
  wanted: 'names of namespaces such as team-a,team-b',
  parse: (value) => {
    const names = value.split(',').map((name) => name.trim());
    const named = names.filter((name) => name !== '');
    return named.every((name) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) ? named : undefined;
  },
};

/** Labels in Kubernetes' notation of selectors; '' selects everything. */
export const labelSelector: SettingType<LabelSelector> = {
  placeholder: '<selector>',
  wanted: 'labels such as team=web,tier!=test,zone in (a,b)',
  parse: (value) => {
    const parsed = parseLabelSelector(value);
    return isSelectorFault(parsed) ? undefined : parsed;
  },
};

/** Versions of TLS in nginx's notation, separated by spaces; what came before 1.2 is not spoken (RFC 8996). */
export const tlsVersions: SettingType<readonly TlsVersion[]> = {
  placeholder: '<versions>',
  wanted: 'TLSv1.2, TLSv1.3 or both with a space between',
  parse: (value) => {
    const names = value.split(/[ ,]+/).filter((name) => name !== '');
    const known = (['TLSv1.2', 'TLSv1.3'] as const).filter((version) => names.includes(version));
    return known.length > 0 && known.length === new Set(names).size ? known : undefined;
  },
};

/** A numeric address, `localhost` for 127.0.0.1, or '' for all addresses. */
export const address: SettingType<string> = {
  placeholder: '<address>',
  wanted: 'an IPv4 or IPv6 address',
  parse: (value) => {
    const bare = value.replace(/^\[(.*)\]$/, '$1');
    if (bare === 'localhost') return '127.0.0.1';
    return bare === '' || isIP(bare) !== 0 ? bare : undefined;
  },
};

export function wholeNumber(min: number, max: number): SettingType<number> {
  return {
    placeholder: '<number>',
    wanted: `a whole number from ${min} to ${max}`,
    parse: (value) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

export const port = wholeNumber(0, 65_535);

/** A port, or '' when none is named. */
export const optionalPort: SettingType<number | ''> = {
  ...port,
  parse: (value) => (value === '' ? '' : port.parse(value)),
};

const unitMs = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Milliseconds, from Go's notation (`1h30m`, `1.5s`, `300ms`); a bare number counts seconds, as in ingress-nginx. */
export const duration: SettingType<number> = {
  placeholder: '<duration>',
  wanted: 'a duration such as 75s, 1m30s or 500ms',
  parse: (value) => {
    if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
    if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(value)) return undefined;
    let ms = 0;
    for (const [, number, unit] of value.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
      ms += Number(number) * (unitMs.get(unit ?? '') ?? 0);
    }
    return Math.round(ms);
  },
};

const unitBytes = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

/** Bytes, from nginx's notation (`8k`, `1m`) or Kubernetes' (`8Ki`, `1Mi`). */
export const size: SettingType<number> = {
  placeholder: '<size>',
  wanted: 'a size such as 8k, 1m or 1Mi',
  parse: (value) => {
    const [, number, unit] = /^(\d{1,9})(k|m|g|)i?$/i.exec(value) ?? [];
    const factor = unit === undefined ? undefined : unitBytes.get(unit.toLowerCase());
    return factor === undefined ? undefined : Number(number) * factor;
  },
};

/** Comma-separated networks; a bare address is the network of that one address. */
export const networks: SettingType<readonly string[]> = {
  placeholder: '<cidrs>',
  wanted: 'networks such as 10.0.0.0/8,fd00::/8',
  parse: (value) => {
    const parts = value.split(',').map((part) => part.trim());
    const named = parts.filter((part) => part !== '');
    return named.every(isNetwork) ? named : undefined;
  },
};

function isNetwork(value: string): boolean {
  const [host = '', bits, ...rest] = value.split('/');
  const family = isIP(host);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

export function oneOf<T extends string>(...words: readonly T[]): SettingType<T> {
  return {
    placeholder: `<${words.join('|')}>`,
    wanted: `one of ${words.join(', ')}`,
    parse: (value) => words.find((word) => word === value),
  };
}
