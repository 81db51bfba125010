/**
 * What a caller can be sent to or made to hear, as it may stand in the settings and in a command to
 * a switch: nothing in it may end the command, quote, or be expanded.
 */

/** A file or a tone (`tone_stream://%(200,0,500)`): whatever is printable but for what quotes. */
export const SOUND = /^(?!['"`\\$])[!#%&(-[\]-_a-~]{1,1024}$/

/** `say:` and words: language, what it is, how it is said, the figure. */
export const SPEECH = /^say:[\w.-]{1,64}( [\w.-]{1,64}){1,8}$/

/** What uuid_transfer takes: an extension, and perhaps the dialplan and the context that it is in. */
export const EXTENSION = /^[\w.*#+][\w.*#+-]{0,63}( [\w.-]{1,64}){0,2}$/

/** Stands in a sound for the seconds that are left. */
export const SECONDS = '{seconds}'

/** @param sound may have SECONDS in it */
export function isSound(sound: string): boolean {
  const example = sound.replaceAll(SECONDS, '10')
  return (example.startsWith('say:') ? SPEECH : SOUND).test(example)
}
