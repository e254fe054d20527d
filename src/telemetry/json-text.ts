/** Characters of a value that a log line keeps. */
const maxCharacters = 2048;

/** Everything but printable ASCII, and the two characters that JSON itself escapes. */
const unsafe = /[^\x20-\x7e]|["\\]/;
const allUnsafe = /[^\x20-\x7e]|["\\]/g;

/**
 * A JSON string of at most 2 KiB of the text, in printable ASCII only: whatever a client sends, it cannot end the
 * line, move a terminal's cursor, or make the line invalid UTF-8. Longer text ends in `...`.
 */
export function jsonText(text: string): string {
  const kept = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}...` : text;
  return unsafe.test(kept) ? `"${kept.replace(allUnsafe, escapeCharacter)}"` : `"${kept}"`;
}

function escapeCharacter(character: string): string {
  if (character === '"') return '\\"';
  if (character === '\\') return '\\\\';
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
