/** What a switch runs with: the modules that are loaded, and the XML that `xml_locate` finds. */

type Section = 'configuration' | 'dialplan'

const MODULES = [
  ...['mod_commands', 'mod_dialplan_xml', 'mod_dptools', 'mod_event_socket', 'mod_loopback'],
  ...['mod_say_en', 'mod_sndfile', 'mod_sofia', 'mod_tone_stream'],
]

const NOTHING = "can't find anything\n"

export class Configuration {
  readonly modules = new Set(MODULES)
  /** By `<section> <element> <name>`. */
  readonly #documents = new Map<string, string>()

  constructor(heartbeatS: number) {
    const interval = `<param name="event-heartbeat-interval" value="${heartbeatS}"/>`
    this.put('configuration', configuration('switch.conf', interval))
    const socket = '<param name="listen-ip" value="127.0.0.1"/>'
    this.put('configuration', configuration('event_socket.conf', socket))
  }

  /** Takes the place of the element of that name. @param file its text, whatever is around the element */
  put(section: Section, file: string): void {
    const xml = file.replace(/<!--[\s\S]*?-->/g, '')
    const [, element, name] = /<([a-z]+) name="([^"]+)"/.exec(xml) ?? []
    if (!element) throw new Error('it has no element with a name')
    const end = `</${element}>`
    const whole = xml.slice(xml.indexOf(`<${element} name=`), xml.lastIndexOf(end) + end.length)
    this.#documents.set(`${section} ${element} ${name}`, whole)
  }

  remove(section: Section, element: string, name: string): void {
    this.#documents.delete(`${section} ${element} ${name}`)
  }

  /** @param argument `<section> <element> <attribute> <value>` */
  locate(argument: string): string {
    const [section, element, attribute, name, ...more] = argument.split(' ')
    if (name === undefined || more.length > 0) return '-ERR bad args\n'
    const found = this.#documents.get(`${section} ${element} ${name}`)
    return attribute === 'name' && found !== undefined ? `${printed(found)}\n` : NOTHING
  }
}

function configuration(name: string, settings: string): string {
  const head = `<configuration name="${name}" description="">`
  return `${head}\n    <settings>\n        ${settings}\n  </settings>\n</configuration>`
}

/** As switch_xml_toxml: without comments, no element closes itself, and an empty line follows each. */
function printed(xml: string): string {
  return xml
    .replace(/<(\w+)((?:\s+[\w-]+="[^"]*")*)\s*\/>/g, '<$1$2></$1>')
    .replace(/(<\/\w+>)\n/g, '$1\n\n')
}
