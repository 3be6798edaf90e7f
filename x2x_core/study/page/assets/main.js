// The steps of a study: consent, then for each part its task, training and cases, and the end.

const study = JSON.parse(document.getElementById('study').textContent)
const main = document.getElementById('main')
const bar = document.getElementById('bar')
const keys = document.getElementById('keys')
const KEYS = [
  ['1 2 … 9 0', 'Choose an option of the marked question'],
  ['↑ ↓', 'Go to the question before or after it'],
  ['Enter', 'Next case'],
  ['Backspace', 'Case before, within a part'],
  ['W S', 'Brighter, darker (mouse: drag up and down)'],
  ['A D', 'Less, more contrast (mouse: drag right and left)'],
  ['I', 'Invert'],
  ['+ −', 'Zoom (mouse: wheel)'],
  ['Shift + arrows', 'Move the picture (mouse: Shift and drag, or the middle button)'],
  ['R', 'Picture as at first (mouse: double click)'],
  ['B', 'Place a box by keys: arrows move it, Shift + arrows change its size, Enter ends'],
  ['N', 'Add another finding'],
  ['T', 'Write a remark; Esc ends'],
  ['H', 'This list'],
]
const TOOLS = [['W S', 'brightness'], ['A D', 'contrast'], ['+ −', 'zoom'], ['I', 'invert'], ['R', 'reset']]
let store, steps, at, form, view, shown, clock, told, placing

function say(text) { document.getElementById('live').textContent = text }
function ask(text, kind = '') { Object.assign(byId('ask'), { textContent: text, className: kind }) }
function byId(id) { return document.getElementById(id) }
function caps(text) {
  return text.split(' ').map(word => /^(\+|…|arrows)$/.test(word) && text.length > 4 ? ` ${word} ` : element('kbd', { textContent: word }))
}

function open(title, ...content) {
  shown = null
  view?.observer.disconnect()
  main.replaceChildren(element('section', { className: 'sheet' }, element(bar.hidden ? 'h1' : 'h2', { textContent: title }), ...content))
}

function paragraph(text, className = '') { return element('p', { textContent: text, className }) }

function primary(text, action) {
  const button = element('button', { type: 'button', className: 'main', onclick: action }, `${text} `, element('kbd', { textContent: 'Enter' }))
  setTimeout(() => button.focus({ focusVisible: false }))
  return button
}

// ---- before and after

function begin() {
  document.title = study.title
  byId('title').textContent = study.title
  if (study.server) return enter(study.server.reader)
  const select = element('select', { id: 'reader' }, ...study.readers.map(code => element('option', { value: code, textContent: code })))
  const parts = [paragraph(study.notice, 'notice')]
  if (study.readers.length > 1) parts.push(element('div', { className: 'row' }, element('label', { htmlFor: 'reader', textContent: 'Your code' }), select))
  parts.push(element('div', { className: 'row' }, primary('Continue', () => enter(select.value))))
  parts.push(paragraph('This page works without a network and sends nothing anywhere. Your answers stay in this browser until you save them as a file.', 'dim'))
  open(study.title, ...parts)
}

async function enter(reader) {
  store = new Store(study, reader, (text, bad) => { byId('kept').textContent = text; byId('kept').classList.toggle('bad', bad) })
  steps = study.parts.flatMap(part => [
    { kind: 'task', part },
    ...part.training.map(training => ({ kind: 'training', part, name: training.case, training })),
    ...(part.training.length ? [{ kind: 'ready', part }] : []),
    ...study.orders[reader][part.name].map(([name, swapped]) => ({ kind: 'case', part, name, swapped })),
  ])
  steps.push({ kind: 'end' })
  try { await store.load() } catch (error) { return open('The server cannot be reached', paragraph(`${error.message} Reload the page in a moment.`, 'error')) }
  if (store.data.consent) return resume()
  consent()
}

function consent() {
  const problem = paragraph('', 'error')
  const file = element('input', { type: 'file', accept: '.json,application/json' })
  file.addEventListener('change', async () => {
    let record = null
    try { record = JSON.parse(await file.files[0].text()) } catch (error) { /* said below */ }
    problem.textContent = store.fault(record)
    if (problem.textContent) return
    store.adopt(record)
    resume()
  })
  const agree = primary('I agree and begin', () => {
    store.data.consent = { at: new Date().toISOString(), text: study.consent }
    store.data.screen = { width: screen.width, height: screen.height, ratio: devicePixelRatio, browser: navigator.userAgent }
    store.save()
    go(0)
  })
  open(study.title, paragraph(study.notice, 'notice'), paragraph(study.consent), element('div', { className: 'row' }, agree,
    element('label', { className: 'file' }, file, 'Continue from a file of answers')), problem)
}

function resume() {
  store.tell()
  const isDone = step => !step.name || store.record(step.kind === 'case' ? 'answers' : 'training', step.part.name, step.name)
  let next = steps.findIndex(step => !isDone(step))
  if (next < 0) return go(steps.length - 1)
  const first = steps.findIndex(step => step.part === steps[next].part)
  const fresh = steps.slice(first, next).every(step => !step.name)
  go(fresh ? first : next)
}

function end() {
  store.data.complete = true
  store.save()
  bar.hidden = false
  const where = study.server ? 'Your answers are stored on the server. You can close the page.' : 'Save your answers and give the file to whoever runs the study.'
  const parts = [paragraph(where)]
  const save = () => { store.download(); say('Saved'); parts[0].textContent = `Saved as answers-${study.study}-${store.reader}.json, in the folder for downloads. Give this file to whoever runs the study.` }
  const button = study.server ? element('button', { type: 'button', onclick: save, textContent: 'Save a copy' }) : primary('Save my answers', save)
  open('Thank you: all cases are read', ...parts, element('div', { className: 'row' }, button))
}

// ---- steps

function go(index) {
  at = index
  const step = steps[at]
  placing = false
  bar.hidden = false
  progress(step)
  if (step.kind === 'task') {
    const count = study.orders[store.reader][step.part.name].length
    const training = step.part.training.length
    open(step.part.title, paragraph(step.part.task), paragraph(`${training ? `${training} for training, then ` : ''}${count} ${count === 1 ? 'case' : 'cases'}. You can stop at any time and continue later.`, 'dim'),
      element('div', { className: 'row' }, primary('Begin', () => go(at + 1)), keysButton()))
  } else if (step.kind === 'ready') {
    open('The training is over', paragraph('From here on your answers count, and no solutions are shown.'), element('div', { className: 'row' }, primary('Begin', () => go(at + 1))))
  } else if (step.kind === 'end') end()
  else showCase(step)
}

function keysButton() { return element('button', { type: 'button', onclick: showKeys }, 'Keys and mouse ', element('kbd', { textContent: 'H' })) }

function progress(step) {
  const cases = step.part ? study.orders[store.reader][step.part.name] : []
  const place = step.kind === 'case' ? cases.findIndex(([name]) => name === step.name) + 1 : 0
  const all = steps.filter(one => one.kind === 'case')
  const done = all.filter(one => store.record('answers', one.part.name, one.name)).length
  byId('part').textContent = step.part?.title ?? ''
  byId('count').textContent = step.kind === 'training' ? 'Training' : place ? `${place} of ${cases.length}` : ''
  const line = byId('progress')
  line.setAttribute('aria-valuemax', all.length)
  line.setAttribute('aria-valuenow', done)
  line.firstElementChild.style.width = `${(100 * done) / all.length}%`
}

function showCase(step) {
  const { part } = step
  const one = part.cases[step.name]
  const pictures = step.swapped ? [...one.pictures].reverse() : one.pictures
  const panes = element('div', { id: 'panes' })
  const stage = element('div', { id: 'stage' })
  if (one.caption) stage.append(element('p', { id: 'caption', textContent: one.caption }))
  const values = element('span', { className: 'values' })
  stage.append(panes, element('div', { id: 'tools' }, ...TOOLS.map(([key, text], index) => element('span', { className: index > 2 ? 'wide' : '' }, ...caps(key), ` ${text}`)), values))
  const questions = element('div', { id: 'questions' })
  const next = element('button', { type: 'button', id: 'next', className: 'main', onclick: forward }, 'Next ', element('kbd', { textContent: 'Enter' }))
  const back = element('button', { type: 'button', id: 'back', onclick: backward, disabled: !canGoBack() }, 'Back ', element('kbd', { textContent: '⌫' }))
  main.replaceChildren(stage, element('aside', { id: 'panel', 'aria-label': 'Questions' }, questions, element('p', { id: 'ask', role: 'status' }), element('div', { id: 'moves' }, back, next)))
  told = false
  shown = step
  view = new View(panes, drawn => setBox(drawn))
  view.onChange = () => { values.textContent = `Window ${Math.round(view.width)} · Level ${Math.round(view.level)} · ${Math.round(view.zoom * 100)} %` }
  form = new Form(part, questions, changed)
  form.onKeys = startPlacing
  const old = store.record(step.kind === 'case' ? 'answers' : 'training', part.name, step.name)
  clock = { seconds: old?.seconds ?? 0, visits: (old?.visits ?? 0) + 1, since: null }
  form.set(old?.rows ?? [{}])
  main.focus()
  const label = step.kind === 'case' ? byId('count').textContent : 'Training case'
  say(`${part.title}, ${label}`)
  view.show(pictures, pictures.length > 1 ? ['Left', 'Right'] : [''], `Picture of ${label}`)
    .then(() => { if (shown === step && !document.hidden) clock.since = performance.now(); changed(); ahead() }, () => ask('A picture is missing.'))
}

// Load the pictures of the next cases.
function ahead() {
  for (const step of steps.slice(at + 1, at + 3)) for (const name of step.name ? step.part.cases[step.name].pictures : []) new Image().src = `pictures/${name}`
}

function changed() {
  if (!shown) return
  ask('')
  const box = form.question(form.active)
  view.setDrawing(box?.kind === 'box' && form.asked(box))
  drawBox()
}

function drawBox() {
  const boxes = []
  for (const question of shown.part.questions.filter(one => one.kind === 'box')) {
    for (const row of form.rows) if (row[question.name]) boxes.push({ pane: row[question.name].pane, box: row[question.name].box, kind: placing ? 'moving' : '' })
    if (told && shown.training?.answers[question.name]) boxes.push({ pane: 0, box: shown.training.answers[question.name], kind: 'truth' })
  }
  view.setBoxes(boxes)
}

function boxQuestion() { return shown?.part.questions.find(one => one.kind === 'box' && form.asked(one)) }

function setBox(drawn) {
  const question = boxQuestion()
  if (drawn && question) form.answer(question, drawn, true)
  else drawBox()
}

function startPlacing() {
  const question = boxQuestion()
  if (!question) return
  form.setActive(question.name)
  if (!form.row[question.name]) {
    const [width, height] = view.size(0)
    form.row[question.name] = { pane: 0, box: [0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height].map(Math.round) }
    form.draw()
  }
  placing = true
  main.focus()
  ask('Arrows move the box, Shift + arrows change its size, Enter ends.', 'guide')
  say('Arrows move the box, Shift and arrows change its size, Enter ends.')
  drawBox()
}

function placeBox(event) {
  const question = boxQuestion()
  if (event.key === 'Enter' || event.key === 'Escape' || event.key === 'b') {
    placing = false
    form.answer(question, form.row[question.name], true)
    return
  }
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
  if (!by) return
  const { pane, box } = form.row[question.name]
  const [width, height] = view.size(pane)
  const step = [by[0], by[1]].map(one => Math.round(one * 0.02 * Math.max(width, height)))
  let [left, top, right, bottom] = box
  if (event.shiftKey) {
    right = clamp(right + step[0], left + 4, width)
    bottom = clamp(bottom + step[1], top + 4, height)
  } else {
    const x = clamp(step[0], -left, width - right)
    const y = clamp(step[1], -top, height - bottom)
    ;[left, right, top, bottom] = [left + x, right + x, top + y, bottom + y]
  }
  form.row[question.name] = { pane, box: [left, top, right, bottom] }
  say(`Box from ${left}, ${top} to ${right}, ${bottom}`)
  drawBox()
}

function seconds() { return clock.seconds + (clock.since === null ? 0 : (performance.now() - clock.since) / 1000) }

function pause() { if (shown && clock) { clock.seconds = seconds(); clock.since = null } }
function unpause() { if (shown && clock && clock.since === null && !document.hidden && !keys.open) clock.since = performance.now() }

function keep() {
  const kind = shown.kind === 'case' ? 'answers' : 'training'
  store.put(kind, shown.part.name, shown.name, {
    rows: form.result(), seconds: Math.round(seconds() * 100) / 100, visits: clock.visits, at: new Date().toISOString(),
  })
}

function forward() {
  const open = form.missing()
  if (open) {
    form.setActive(open.name)
    ask(`Please answer: ${open.text}`)
    return
  }
  if (shown.kind === 'training' && !told) return tellTruth()
  keep()
  go(at + 1)
}

function tellTruth() {
  told = true
  const { answers, explanation } = shown.training
  const lines = shown.part.questions.filter(one => answers[one.name] !== undefined && one.options.length).map(question => {
    const given = form.row[question.name]
    const right = given === answers[question.name]
    const label = question.options.find(option => option.value === answers[question.name])?.label
    return element('p', { className: right ? 'right' : 'wrong', textContent: right ? `${question.text} Right: ${label}.` : `${question.text} The answer is: ${label}.` })
  })
  byId('questions').prepend(element('div', { className: 'truths', role: 'status' }, ...lines, paragraph(explanation)))
  byId('questions').scrollTop = 0
  drawBox()
}

function canGoBack() { const before = steps[at - 1]; return before?.kind === 'case' && before.part === steps[at].part && steps[at].kind === 'case' }

function backward() { if (canGoBack()) { if (!form.missing()) keep(); go(at - 1) } }

// ---- keys

function showKeys() {
  pause()
  const close = element('button', { type: 'button', className: 'main', textContent: 'Close', onclick: () => keys.close() })
  keys.replaceChildren(element('h2', { id: 'keys-title', textContent: 'Keys and mouse' }),
    element('table', {}, element('tbody', {}, ...KEYS.map(([key, text]) => element('tr', {}, element('td', {}, ...caps(key)), element('td', { textContent: text }))))), close)
  keys.showModal()
  close.focus()
}

const ACTIONS = {
  w: () => view.window(0, -6), s: () => view.window(0, 6), a: () => view.window(10, 0), d: () => view.window(-10, 0),
  i: () => view.invert(), r: () => view.reset(), '+': () => view.zoomBy(1.25), '=': () => view.zoomBy(1.25), '-': () => view.zoomBy(0.8),
  b: startPlacing, n: () => form.add(), t: () => byId('text')?.focus(), Backspace: backward,
  ArrowUp: () => form.step(-1), ArrowDown: () => form.step(1),
}
const PANS = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return
  const { target } = event
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (target.matches?.('input[type="text"]')) {
    if (key === 'Escape' || key === 'Enter') { event.preventDefault(); target.blur(); main.focus() }
    return
  }
  if ((key === 'h' || key === '?') && !target.matches?.('select')) { event.preventDefault(); showKeys(); return }
  if (!shown) {
    if (key === 'Enter' && (target === document.body || target === main)) main.querySelector('button.main')?.click()
    return
  }
  if (placing) { event.preventDefault(); placeBox({ key, shiftKey: event.shiftKey }); return }
  const onControl = target.matches?.('button, select')
  const inGroup = target.matches?.('input[type="radio"], input[type="checkbox"]')
  if (key === 'Enter' && !onControl) { event.preventDefault(); forward(); return }
  if (event.shiftKey && PANS[key]) { event.preventDefault(); view.pan(...PANS[key]); return }
  if (inGroup && key.startsWith('Arrow')) return
  if (DIGITS.includes(key) ? form.digit(key) : ACTIONS[key]) { event.preventDefault(); ACTIONS[key]?.() }
})
document.addEventListener('visibilitychange', () => (document.hidden ? pause() : unpause()))
keys.addEventListener('close', unpause)
byId('help').addEventListener('click', showKeys)
byId('save').addEventListener('click', () => { store.download(); say('Saved') })
window.addEventListener('beforeunload', event => { if (store?.problem || (store && !store.local && !study.server)) event.preventDefault() })
begin()
