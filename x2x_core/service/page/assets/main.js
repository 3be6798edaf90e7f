// The page: a film, an instruction, its guidance map, its edit.

import * as instruction from './instruction.js'
import { Sentence, asBlob, ask, askForm, useToken } from './server.js'
import * as stage from './stage.js'

const find = id => document.getElementById(id)
const FILES = { png: ['edited.png', 'image/png'], dicom: ['edited.dcm', 'application/dicom'], record: ['result.json', 'application/json'] }
const STATE_PAUSE = 10000 // milliseconds between looks at the line

let limits = {}
let file = null
let image = null
let isBusy = false
let links = []

function refresh() {
  const isReady = !isBusy && image !== null && instruction.state.isGood
  find('look').disabled = find('edit').disabled = !isReady
}

function fail(text) {
  find('error').textContent = text
  find('error').hidden = !text
}

// Run one task at a time, with its errors as sentences.
async function during(text, task) {
  if (isBusy) return
  isBusy = true
  refresh()
  fail('')
  const began = Date.now()
  const tick = () => { find('status').textContent = `${text} ${Math.round((Date.now() - began) / 1000)} s` }
  const timer = setInterval(tick, 1000)
  find('status').textContent = text
  find('status').classList.add('busy')
  try {
    await task()
    find('status').textContent = `Done in ${((Date.now() - began) / 1000).toFixed(1)} s.`
  } catch (error) {
    find('status').textContent = ''
    if (!(error instanceof Sentence)) throw error
    if (error.status === 401) find('entry').hidden = false
    fail(error.message)
  } finally {
    clearInterval(timer)
    find('status').classList.remove('busy')
    isBusy = false
    refresh()
  }
}

const waiting = seconds => { find('status').textContent = `The service is busy: next try in ${seconds} s.` }

async function upload() {
  const entry = await askForm('/api/images', { image: file }, waiting)
  image = entry.id
  return entry
}

async function forget() {
  if (image === null) return
  const own = image
  image = null
  await ask(`/api/images/${own}`, { method: 'DELETE', keepalive: true }).catch(() => {})
}

async function take(chosen) {
  if (!chosen || isBusy) return
  if (limits.max_bytes && chosen.size > limits.max_bytes) {
    fail(`This file has ${Math.ceil(chosen.size / 2 ** 20)} MiB, and the service takes at most ${limits.max_bytes / 2 ** 20}.`)
    return
  }
  await during('Reading the film ...', async () => {
    await forget()
    file = chosen
    const entry = await upload()
    const picture = await (await ask(`/api/images/${image}`)).blob()
    clearResults()
    stage.drop('map')
    stage.put('original', picture)
    stage.open(entry.width, entry.height)
    stage.show('original')
    find('film').title = chosen.name
    find('film').textContent = `${chosen.name}, ${entry.width} × ${entry.height}, ${entry.bit_depth} bits`
    find('dicom-choices').hidden = entry.kind !== 'DICOM'
    keepNothing()
    facts(entry.notes.map(note => [note, false]))
  })
}

function keepNothing() {
  find('keep').value = ''
  find('unkeep').hidden = true
}

// Choices of the DICOM result, which only a DICOM film has.
const dicomChoices = () => find('dicom-choices').hidden ? {} : {
  identifiers: find('identifiers').value,
  new_study: find('new_study').checked && !find('new_study').disabled ? 'true' : '',
  burn_in: find('burn_in').checked ? 'true' : '',
  series_description: find('series_description').value,
}

function clearResults() {
  stage.drop('edit')
  links.forEach(URL.revokeObjectURL)
  links = []
  find('results').hidden = true
}

// Ask with the held film; one that the service has dropped is sent again.
async function askWithFilm(path, more = {}) {
  const fields = () => ({
    image_id: image, prompt: find('prompt').value, seed: find('seed').value || '0', preset: find('preset').value,
    keep_mask: find('keep').files[0], ...more,
  })
  try {
    return await askForm(path, fields(), waiting)
  } catch (error) {
    if (error.status !== 404) throw error
    await upload()
    return askForm(path, fields(), waiting)
  }
}

function facts(lines) {
  find('facts').replaceChildren(...lines.map(([text, isWarning]) => {
    const line = document.createElement('p')
    line.textContent = text
    line.className = isWarning ? 'warned' : 'dim'
    return line
  }))
}

const percent = share => `${(100 * share).toFixed(1)}\u00a0%`

function tell(record) {
  const shares = [`May change: ${percent(record.editable_share)} of the picture.`]
  if ('changed_share' in record) shares.push(`Changed: ${percent(record.changed_share)}.`)
  facts([
    [record.instruction.canonical, false],
    [shares.join(' '), false],
    ...record.change ? [[record.change.sentence, false]] : [],
    ...record.warnings.map(text => [text, true]),
  ])
}

// Scroll to the picture where it lies above the controls.
const toPicture = () => { if (matchMedia('(max-width: 800px)').matches) find('stage').scrollIntoView() }

const look = () => during('Finding where it may change ...', async () => {
  const answer = await askWithFilm('/api/guidance')
  stage.put('map', asBlob(answer.files['overlay.png'], 'image/png'))
  stage.show('map')
  toPicture()
  tell(answer.record)
})

const edit = () => during('Editing ...', async () => {
  const answer = await askWithFilm('/api/edit', dicomChoices())
  clearResults()
  for (const [id, [name, type]] of Object.entries(FILES)) {
    const blob = name in answer.files ? asBlob(answer.files[name], type) : null
    find(id).hidden = blob === null
    if (blob === null) continue
    find(id).href = URL.createObjectURL(blob)
    links.push(find(id).href)
    if (id === 'png') stage.put('edit', blob)
  }
  find('results').hidden = false
  stage.show('compare')
  tell(answer.record)
  find('controls').scrollTop = find('controls').scrollHeight
  toPicture()
})

async function health() {
  const state = await (await ask('/api/health')).json()
  limits = state
  const waits = Math.max(state.waiting - state.running, 0)
  find('line').textContent = `${state.model} · ${state.running ? `editing, ${waits} waiting` : 'idle'}`
  return state
}

async function start() {
  try {
    const state = await health()
    const words = await (await ask('/api/vocabulary')).json()
    find('entry').hidden = true
    instruction.fill(words, refresh)
    fail('')
    return state
  } catch (error) {
    if (!(error instanceof Sentence)) throw error
    if (error.status === 401) find('entry').hidden = false
    else fail(error.message)
    return null
  }
}

find('keep').addEventListener('change', () => { find('unkeep').hidden = !find('keep').files.length })
find('unkeep').addEventListener('click', () => { keepNothing(); find('keep').focus() })
find('identifiers').addEventListener('change', () => {
  find('new_study').disabled = find('identifiers').value !== 'keep'
})
find('file').addEventListener('change', () => { take(find('file').files[0]); find('file').value = '' })
find('look').addEventListener('click', look)
find('controls').addEventListener('submit', event => { event.preventDefault(); if (!find('edit').disabled) edit() })
find('enter').addEventListener('click', () => { useToken(find('token').value); start() })
find('forget').addEventListener('click', () => during('Removing ...', async () => {
  await forget()
  clearResults()
  stage.close()
  file = null
  find('film').textContent = 'none yet'
  find('dicom-choices').hidden = true
  keepNothing()
  facts([])
}))
for (const kind of ['dragover', 'dragleave', 'drop'])
  document.addEventListener(kind, event => {
    event.preventDefault()
    document.body.classList.toggle('over', kind === 'dragover')
    if (kind === 'drop') take(event.dataTransfer.files[0])
  })
addEventListener('pagehide', forget)
setInterval(() => health().catch(() => { find('line').textContent = 'no answer' }), STATE_PAUSE)
start()
