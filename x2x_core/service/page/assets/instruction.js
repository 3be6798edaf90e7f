// The instruction: menus and words that follow each other, and what was understood.

import { Sentence, askJson } from './server.js'

const PAUSE = 250 // milliseconds after the last letter
const MENUS = ['operation', 'finding', 'side', 'zone', 'level_from', 'level']
const find = id => document.getElementById(id)

let findings = {}
let asked = 0
let timer = 0
let changed = () => {}
export const state = { isGood: false }

const option = (value, text = value) => Object.assign(document.createElement('option'), { value, textContent: text })

function group(label, entries) {
  const element = document.createElement('optgroup')
  element.label = label
  element.append(...entries.map(entry => option(entry.name)))
  return element
}

// Fill the menus from the service's vocabulary.
export function fill(words, whenChanged) {
  changed = whenChanged
  findings = Object.fromEntries(words.findings.map(entry => [entry.name, entry]))
  find('operation').replaceChildren(...words.operations.map(word => option(word)))
  const known = words.findings.filter(entry => entry.trained !== false)
  const others = words.findings.filter(entry => entry.trained === false)
  find('finding').replaceChildren(option('', 'choose'), ...(others.length
    ? [group('The model was trained on', known), group('Others: unreliable', others)]
    : known.map(entry => option(entry.name))))
  for (const [id, list] of [['side', words.sides], ['zone', words.zones], ['level', words.levels], ['level_from', words.levels]])
    find(id).replaceChildren(option('', 'any'), ...list.map(word => option(word)))
  find('preset').replaceChildren(option('', "the model's"), ...words.presets.map(word => option(word)))
  for (const id of MENUS) find(id).addEventListener('change', fromMenus)
  find('prompt').addEventListener('input', () => {
    state.isGood = false
    changed()
    clearTimeout(timer)
    timer = setTimeout(fromWords, PAUSE)
  })
  suit()
}

// Show the menus that the operation and the finding have.
function suit() {
  const isChange = find('operation').value === 'change'
  const isLateral = findings[find('finding').value]?.lateral ?? true
  find('from').hidden = !isChange
  find('level-label').textContent = isChange ? 'To level' : 'Level'
  for (const id of ['side', 'zone']) {
    find(id).disabled = !isLateral
    if (!isLateral) find(id).value = ''
  }
}

function fromMenus() {
  suit()
  const clause = Object.fromEntries(MENUS.map(id => [id, find(id).value || null]))
  if (clause.operation !== 'change') clause.level_from = null
  if (!clause.finding) return
  if (clause.operation === 'change' && !clause.level) {
    say(['Choose the level to change to.'], '')
    return
  }
  understand({ clauses: [clause] }, true)
}

function fromWords() {
  const prompt = find('prompt').value
  if (prompt.trim()) understand({ prompt }, false)
  else say(['What was understood appears here.'], '')
}

async function understand(request, writes) {
  asked += 1
  const own = asked
  try {
    const answer = await askJson('/api/explain', request)
    if (own !== asked) return
    if (writes) find('prompt').value = answer.canonical
    else followWords(answer.instruction.clauses)
    say(answer.lines.filter(line => !line.startsWith('Text: ')), 'good')
  } catch (error) {
    if (own !== asked) return
    if (!(error instanceof Sentence)) throw error
    say([error.message], 'bad')
  }
}

// Set the menus to what the words mean, if they mean one thing.
function followWords(clauses) {
  const only = clauses.length === 1 ? clauses[0] : {}
  for (const id of MENUS) {
    const value = only[id] ?? ''
    if (value && ![...find(id).options].some(entry => entry.value === value)) find(id).append(option(value))
    find(id).value = value || (id === 'operation' ? find(id).options[0].value : '')
  }
  suit()
}

function say(lines, kind) {
  const warned = /^(Corrected|Assumed|Left|Region: the whole)/
  find('understood').className = kind
  find('understood').replaceChildren(...lines.map(text => {
    const line = document.createElement('p')
    line.textContent = text
    line.className = warned.test(text) ? 'warned' : kind === '' ? 'dim' : ''
    return line
  }))
  state.isGood = kind === 'good'
  changed()
}
