/** Whether what a record says of its times can be true. What cannot is never booked. */
import { type JsonCdr, RecordError } from '../switch/json-cdr.js'

const HOUR_US = 3_600_000_000
const DAY_US = 24 * HOUR_US

/** The clock of a switch does not follow ours, but it is not so far ahead of it. */
const AHEAD_US = HOUR_US

/** How old a file of records may be. */
const AGE_US = 366 * DAY_US

/** The longest that rules.longest_call_s may be: longer calls can cost more than can be booked. */
const TALK_US = 5 * DAY_US

/**
 * @param now microseconds since the epoch, by our clock
 * @throws RecordError
 */
export function checkSense({ event }: JsonCdr, now: number): void {
  const { createdAt, hangupAt } = event
  const answeredAt = event.answeredAt ?? createdAt
  const talkUs = hangupAt - (event.answeredAt ?? hangupAt)
  const nonsense: readonly (readonly [boolean, string])[] = [
    [hangupAt < createdAt, 'it ended before it began'],
    [answeredAt < createdAt, 'it was answered before it began'],
    [hangupAt < answeredAt, 'it ended before it was answered'],
    [hangupAt > now + AHEAD_US, 'it ends in the future'],
    [createdAt < now - AGE_US, 'it is more than a year old'],
    [talkUs > TALK_US, 'it lasted for more than five days'],
  ]
  const found = nonsense.find(([is]) => is)
  if (found) throw new RecordError(`The record of ${event.legId} makes no sense: ${found[1]}`)
}
