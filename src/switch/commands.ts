/**
 * The commands of the port to a switch, in the words of FreeSWITCH; who carries the words is not
 * known here. esl-switch.ts does it over a socket, the simulation in process.
 */

import type { LegEvent } from '../call/leg-event.js'
import { cut, decodeDump } from './decode.js'
import {
  armCommand,
  armOnAnswerCommand,
  disarmCommands,
  dumpCommand,
  expectOk,
  forgetUserCommand,
  globalCommand,
  killCommand,
  LIST_COMMAND,
  parseAdded,
  parseDeleted,
  parseRun,
  parseVariable,
  playCommand,
  RUN_COMMAND,
  saysGone,
  setVariableCommand,
  timerGroup,
  transferCommand,
  unexpected,
  variableCommand,
} from './encode.js'
import { ListingReader } from './listing.js'
import type { Switch } from './switch.js'

/** Carries command lines to a switch, in order, and brings its answers back. */
export interface Wire {
  /** @throws SwitchError `timeout` or `not_connected`. */
  command(line: string): Promise<string>
  /**
   * For what may be long and take its time: a listing of thousands of channels. Hands the answer over
   * piece by piece; it is complete when this resolves, and only then.
   * @throws as command
   */
  read(line: string, take: (piece: string) => void): Promise<void>
}

export abstract class SwitchCommands implements Switch {
  abstract readonly name: string

  /** @throws SwitchError `not_connected` */
  protected abstract wire(): Wire

  async hangUp(legId: string, cause: string) {
    const answer = await this.wire().command(killCommand(legId, cause))
    if (!saysGone(answer)) expectOk(answer)
  }

  /**
   * The timer of a leg that is gone is added all the same, and fires without effect. With
   * generation 0 the leg's session heartbeat is deleted as well: encode.ts says why.
   */
  async hangUpAfter(legId: string, inS: number, generation: number, since: number, cause: string) {
    const group = timerGroup(legId, generation)
    parseAdded(await this.wire().command(armCommand(legId, inS, group, cause)))
    const disarmed = disarmCommands(legId, generation, since).map(line => this.wire().command(line))
    for (const answer of await Promise.all(disarmed)) parseDeleted(answer)
  }

  /** Of a leg that is gone nothing is left to be armed: that is no error. */
  async hangUpAfterAnswer(legId: string, talkS: number, cause: string) {
    const answer = await this.wire().command(armOnAnswerCommand(legId, talkS, cause))
    if (!saysGone(answer)) expectOk(answer)
  }

  async setGlobal(name: string, value: string) {
    expectOk(await this.wire().command(globalCommand(name, value)))
  }

  /** Cut to 64 characters and an ellipsis, as the variables in events are. */
  async variable(legId: string, name: string) {
    return cut(parseVariable(await this.wire().command(variableCommand(legId, name))))
  }

  async listLegs() {
    const wire = this.wire()
    let run = ''
    const listing = new ListingReader()
    // Both on one connection, so that both speak of the same run of the switch.
    await Promise.all([
      wire.read(RUN_COMMAND, piece => {
        run += piece
      }),
      wire.read(LIST_COMMAND, piece => listing.take(piece)),
    ])
    return { coreUuid: parseRun(run), legs: listing.end() }
  }

  async describe(legId: string): Promise<LegEvent | null> {
    const answer = await this.wire().command(dumpCommand(legId))
    if (saysGone(answer)) return null
    const event = decodeDump(expectOk(answer))
    if (event?.legId !== legId) throw unexpected(answer)
    return event
  }

  async forgetUser(user: string, domain: string) {
    expectOk(await this.wire().command(forgetUserCommand(user, domain)))
  }

  async play(legId: string, sound: string) {
    expectOk(await this.wire().command(playCommand(legId, sound)))
  }

  async transfer(legId: string, extension: string, reason: string) {
    const wire = this.wire()
    // Both at once: what is asked for next must not overtake the second.
    const answers = await Promise.all([
      wire.command(setVariableCommand(legId, 'tollgate_reason', reason)),
      wire.command(transferCommand(legId, extension)),
    ])
    for (const answer of answers) expectOk(answer)
  }
}
