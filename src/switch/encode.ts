/**
 * Commands to the switch as text, and what its answers mean. Pure.
 *
 * A command is one line; an empty line ends it. So an argument with a line end in it would be a
 * second command, and one with a blank another argument: each is checked here, and nowhere else.
 */
import { EXTENSION, SOUND, SPEECH } from '../announcements.js'
import { SwitchError } from './switch.js'

/** A Unique-ID is a UUID unless the dial string chose another (`origination_uuid`). */
const ID = /^[\w.:@+~=/-]{1,255}$/

const USER = /^[\w.+-]{1,64}$/
const DOMAIN = /^[\w.:[\]-]{1,255}$/

const WORD = /^\w{1,255}$/

export function authCommand(password: string): string {
  // The password itself must not get into a message.
  if (/[\r\n\0]/.test(password)) throw refusal('the password of the switch has a line end in it')
  return `auth ${password}`
}

export type EventFormat = 'plain' | 'json'

export function eventCommand(format: EventFormat, names: readonly string[]): string {
  return ['event', format, ...names.map(name => checked(WORD, name, 'an event'))].join(' ')
}

/** Ends a leg. An unknown cause would silently become NORMAL_CLEARING. */
export function killCommand(legId: string, cause: string): string {
  return `api ${kill(legId, cause)}`
}

/** The group that a timer is deleted by. */
export function timerGroup(legId: string, generation: number): string {
  return `tg-${whole(generation, 1, 'a generation')}-${id(legId)}`
}

/**
 * A kill that the switch carries out itself in `inS` seconds, give or take one (its scheduler
 * counts whole seconds). `sched_hangup` would not do: it cannot be deleted alone.
 */
export function armCommand(legId: string, inS: number, group: string, cause: string): string {
  const delay = whole(inS, 1, 'a delay in seconds')
  return `api sched_api +${delay} ${id(group)} ${kill(legId, cause)}`
}

/**
 * Has the leg arm a timer by itself when it is answered. The switch carries out every variable
 * whose name begins with `execute_on_answer`: under a name of our own nobody's action is replaced.
 */
export function armOnAnswerCommand(legId: string, talkS: number, cause: string): string {
  const delay = whole(talkS, 1, 'a delay in seconds')
  const action = `sched_hangup +${delay} ${checked(WORD, cause, 'a cause')}`
  return `api uuid_setvar ${id(legId)} execute_on_answer_tollgate ${action}`
}

/**
 * What is deleted once the timer of `generation` is armed: those from `since` on. Generation 0 is
 * what the answer itself armed (`execute_on_answer`, ours or the dial string's), in a group named
 * by the leg alone; a session heartbeat of the leg is in that group, too, and ends.
 */
export function disarmCommands(legId: string, generation: number, since: number): string[] {
  whole(since, 0, 'a generation')
  const groups: string[] = []
  for (let old = since; old < generation; old++) {
    if (old > 0) groups.push(timerGroup(legId, old))
    // A group of nothing but digits would be taken for the number of somebody else's timer.
    else if (/\D/.test(legId)) groups.push(id(legId))
  }
  return groups.map(group => `api sched_del ${group}`)
}

/** Values that are set: nothing that separates variables, or that a dialplan would expand. */
const VALUE = /^[\w-]{0,255}$/

/**
 * Sets several variables of a leg at once; one that is set to nothing is deleted. Every value is
 * ours: a code or a number that somebody dialled is never one.
 */
export function setCommand(legId: string, variables: ReadonlyMap<string, string>): string {
  const pairs = [...variables].map(([name, value]) => assignment(name, value))
  return `api uuid_setvar_multi ${id(legId)} ${pairs.join(';')}`
}

export function globalCommand(name: string, value: string): string {
  return `api global_setvar ${assignment(name, value)}`
}

function assignment(name: string, value: string): string {
  return `${checked(WORD, name, 'a variable')}=${checked(VALUE, value, 'a value')}`
}

export function variableCommand(legId: string, name: string): string {
  return `api uuid_getvar ${id(legId)} ${checked(/^[\w.-]{1,255}$/, name, 'a variable')}`
}

export function dumpCommand(legId: string): string {
  return `api uuid_dump ${id(legId)} json`
}

/**
 * A user that the switch has kept from its directory; with the names written as it asked for them.
 * With fewer words the command would clear all that it has kept.
 */
export function forgetUserCommand(user: string, domain: string): string {
  const [name, where] = [checked(USER, user, 'a user'), checked(DOMAIN, domain, 'a domain')]
  return `api xml_flush_cache id ${name} ${where}`
}

export const LIST_COMMAND = 'api show channels as json'

/** The answer is the Core-UUID of the switch, bare. */
export const RUN_COMMAND = 'api global_getvar core_uuid'

export function setVariableCommand(legId: string, name: string, value: string): string {
  return `api uuid_setvar ${id(legId)} ${checked(WORD, name, 'a variable')} ${checked(WORD, value, 'a value')}`
}

/** @param extension `<extension> [<dialplan> [<context>]]` */
export function transferCommand(legId: string, extension: string): string {
  return `api uuid_transfer ${id(legId)} ${checked(EXTENSION, extension, 'an extension')}`
}

/**
 * Plays to one leg alone: a file is mixed into what it hears while the talk goes on, a tone or
 * speech interrupts the talk for its length.
 * @param sound a file, `tone_stream://…`, or `say:en number pronounced 30`: the arguments of the
 *   application say
 */
export function playCommand(legId: string, sound: string): string {
  if (SPEECH.test(sound)) {
    // FreeSWITCH splits at blanks, and turns each \s back into one.
    const words = sound.slice('say:'.length).split(' ').join('\\s')
    return `api uuid_broadcast ${id(legId)} say::${words} aleg`
  }
  const what = checked(SOUND, sound, 'a sound')
  return what.startsWith('tone_stream://')
    ? `api uuid_broadcast ${id(legId)} ${what} aleg`
    : `api uuid_displace ${id(legId)} start ${what} 0 mux`
}

function kill(legId: string, cause: string): string {
  return `uuid_kill ${id(legId)} ${checked(WORD, cause, 'a cause')}`
}

function id(text: string): string {
  return checked(ID, text, 'an id')
}

function checked(shape: RegExp, text: string, what: string): string {
  if (shape.test(text)) return text
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
  throw refusal(`${shown} is not ${what} that can be sent to a switch`)
}

function whole(value: number, least: number, what: string): string {
  if (Number.isSafeInteger(value) && value >= least) return String(value)
  throw refusal(`${value} is not ${what} that can be sent to a switch`)
}

function refusal(sentence: string): SwitchError {
  return new SwitchError('refused', sentence)
}

/** An answer of the switch: the Reply-Text of a command/reply, the body of an api/response. */
export type Reply =
  | { readonly ok: true; readonly text: string }
  /** `-ERR …`, or `-USAGE: …`. */
  | { readonly ok: false; readonly text: string }

/** `+OK Added: 7` is ok with the text `Added: 7`; what has no sign, such as a value, is ok as it is. */
export function parseReply(answer: string): Reply {
  const text = answer.trimEnd()
  const sign = /^(\+OK|-ERR|-USAGE:?)\s*/.exec(text)
  if (!sign) return { ok: true, text }
  return { ok: sign[1] === '+OK', text: text.slice(sign[0].length) }
}

/** Whether the answer says that there is no such leg, or no such leg any more. */
export function saysGone(answer: string): boolean {
  const reply = parseReply(answer)
  return !reply.ok && reply.text === 'No such channel!'
}

/**
 * @throws SwitchError `refused` with the words of the switch. A command that the switch does not
 *   know or does not allow is answered so too.
 */
export function expectOk(answer: string): string {
  const reply = parseReply(answer)
  if (!reply.ok) throw refusal(`the switch says: ${shortened(reply.text)}`)
  return reply.text
}

/** The id of the task that `sched_api` added. */
export function parseAdded(answer: string): number {
  return counted(/^Added: (\d+)$/, answer)
}

/** How many tasks `sched_del` deleted: 0 where there was no such group. */
export function parseDeleted(answer: string): number {
  return counted(/^Deleted: (\d+)$/, answer)
}

function counted(shape: RegExp, answer: string): number {
  const match = shape.exec(expectOk(answer))
  if (!match) throw unexpected(answer)
  return Number(match[1])
}

/**
 * The value that `uuid_getvar` answers; null where the variable is not set, or the leg is gone. An
 * api command that writes nothing, as for an empty value, is answered `-ERR no reply`.
 */
export function parseVariable(answer: string): string | null {
  if (answer === '_undef_' || answer === '' || saysGone(answer)) return null
  const reply = parseReply(answer)
  if (!reply.ok && reply.text === 'no reply') return null
  if (!reply.ok) expectOk(answer)
  return answer
}

/** The Core-UUID that RUN_COMMAND answers. */
export function parseRun(answer: string): string {
  const text = expectOk(answer)
  if (!/^[\w-]{1,64}$/.test(text)) throw unexpected(answer)
  return text
}

export function unexpected(answer: string): SwitchError {
  const shown = JSON.stringify(shortened(answer))
  return new SwitchError('unexpected', `the switch answers ${shown}, which makes no sense here`)
}

const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text.trimEnd())
