/** The dialplan that is shipped for the gate: every line that keeps a call from being free is there. */
import t from 'tap'
import { confXml, elements, extensionsOf } from '../support/dialplan.js'

const [context, ...others] = elements(confXml('dialplan-gate.xml'), 'context')
const extensions = extensionsOf(context!)

const asking = extensions.filter(({ actions }) => actions.some(each => each.startsWith('socket ')))
const bridges = extensions.flatMap(({ name, actions }) =>
  actions.filter(each => each.startsWith('bridge ')).map(bridge => ({ name, bridge })),
)

t.test('it has a context of its own, which no caller reaches', async t => {
  t.equal(context!.attributes['name'], 'tollgate')
  t.strictSame(others, [])
  t.ok(extensions.every(({ expression }) => /^\^.*\$$/.test(expression.source)))
})

t.test('who asks is refused until it is told otherwise, and within a bound', async t => {
  t.strictSame(
    asking.map(({ name }) => name),
    ['gate', 'gate-async', 'gate-failover', 'gate-fail-open'],
  )
  for (const { name, actions } of asking) {
    const at = (start: string) => actions.findIndex(each => each.startsWith(start))
    const socket = at('socket ')
    t.ok(at('set tollgate_result=down') >= 0 && at('set tollgate_result=down') < socket, name)
    t.ok(at('set tollgate_alternatives=') < socket)
    t.equal(actions[socket + 1], 'sched_cancel')
    t.match(actions[socket + 2], /^execute_extension [a-z-]*\$\{tollgate_result\} XML tollgate$/)
    t.equal(actions.length, socket + 3, 'and nothing happens but what it is told')
    const isAsync = actions[socket]!.includes(' async ')
    t.match(actions[socket], / full$/)
    // Each form has its own bound: mixing them hangs the call, or runs "down" twice.
    t.match(
      actions[socket - 1],
      isAsync ? /^sched_transfer \+4 \S*down XML tollgate$/ : /^sched_hangup \+3 /,
    )
    t.equal(at('set socket_resume=true') >= 0, isAsync)
  }
})

t.test('every result has an extension', async t => {
  const started = ['', 'failover-', 'fail-open-'].flatMap(start =>
    ['allow', 'deny', 'down'].map(result => start + result),
  )
  for (const destination of started) {
    const found = extensions.filter(({ expression }) => expression.test(destination))
    t.equal(found.length, 1, destination)
  }
  t.strictSame(
    extensions.filter(({ expression }) => expression.test('')),
    [],
  )
})

t.test('whatever is dialled pays', async t => {
  t.strictSame(
    bridges.map(({ name }) => name),
    ['allow', 'failover-allow', 'lease', 'fail-open-down'],
  )
  for (const { name, bridge } of bridges) {
    for (const leg of bridge.split('|')) {
      t.match(leg, /\[ac=\$\{tollgate_account\},ac_number=\$\{tollgate_number\}[,\]]/, name)
    }
    const ids = bridge.match(/origination_uuid=[^,]+/g) ?? []
    t.equal(new Set(ids).size, ids.length, 'no id twice')
    if (/allow$/.test(name)) t.equal(ids.length, bridge.split('|').length)
    if (name === 'lease') {
      t.match(bridge, /global_getvar\(tollgate_lease\)\} > \$\{strepoch\(\)\} \? \[.* : error\//)
    } else {
      const timers = bridge.match(/execute_on_answer='sched_hangup \+\S+ ALLOTTED_TIMEOUT'/g) ?? []
      t.equal(timers.length, bridge.split('|').length, 'each leg has a timer')
    }
  }
  t.ok(extensions.every(({ actions }) => !actions.some(each => each.startsWith('break'))))
})

t.test('only what is called fail-open dials when nobody answers', async t => {
  const down = extensions.filter(({ expression }) => expression.test('down'))
  t.strictSame(down[0]!.actions, ['hangup NORMAL_TEMPORARY_FAILURE'])
  const open = extensions.filter(({ name, actions }) => {
    return /down/.test(name) && actions.some(each => each.startsWith('bridge'))
  })
  t.strictSame(
    open.map(({ name }) => name),
    ['fail-open-down'],
  )
})
