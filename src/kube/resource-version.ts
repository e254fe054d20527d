const decimal = /^[0-9]{1,39}$/;

/**
 * Whether one resourceVersion comes before another of the same kind. Since KEP-5504 they are decimal numbers of up to 128
 * bits that may be compared; ones that are not (another store than etcd) are never older.
 */
export function isOlder(version: string, than: string): boolean {
  if (!decimal.test(version) || !decimal.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
