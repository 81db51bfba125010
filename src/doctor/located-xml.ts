/** The configuration that a switch runs with, as its `xml_locate` prints it. */
import { parseReply } from '../switch/encode.js'
import type { Dialogue } from './dialogue.js'

/** What `xml_locate` says where there is no such thing (mod_commands.c). */
const NOTHING = "can't find anything"

/** One element, with all that is in it; null where the switch has none of that name. */
export async function located(
  dialogue: Dialogue,
  section: 'configuration' | 'dialplan',
  element: string,
  name: string,
): Promise<string | null> {
  const answer = await dialogue.api(`xml_locate ${section} ${element} name ${name}`)
  const { ok, text } = parseReply(answer)
  return ok && text !== NOTHING ? text : null
}

export const configurationOf = (dialogue: Dialogue, name: string) =>
  located(dialogue, 'configuration', 'configuration', name)

/** The attributes of each element of a name. */
export function attributesOf(xml: string, element: string): ReadonlyMap<string, string>[] {
  const found = xml.matchAll(new RegExp(`<${element}((?:\\s+[\\w-]+\\s*=\\s*"[^"]*")*)`, 'g'))
  return [...found].map(([, attributes = '']) => {
    const pairs = attributes.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)
    return new Map([...pairs].map(([, name, value]) => [name!, unescaped(value!)]))
  })
}

/** The values of a `<param name="…" value="…"/>`: some may be there several times. */
export function valuesOf(xml: string, name: string): string[] {
  return attributesOf(xml, 'param')
    .filter(attributes => attributes.get('name')?.toLowerCase() === name)
    .map(attributes => attributes.get('value') ?? '')
}

/** As FreeSWITCH reads a yes (switch_utils.h, switch_true_buf). */
export function isTrue(value: string | undefined): boolean {
  if (value === undefined) return false
  return /^(yes|on|true|t|enabled|active|allow)$/i.test(value) || Number.parseInt(value, 10) > 0
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
}

const unescaped = (text: string) => text.replace(/&(?:lt|gt|quot|apos|amp);/g, e => ENTITIES[e]!)
