// The stage: the film, the guidance map, the edit, and the slider between before and after.

const find = id => document.getElementById(id)
const NAMES = { original: 'Film', map: 'Guidance map', compare: 'Film | edit', edit: 'Edit' }
const ALTS = {
  original: 'The film', map: 'The film with the guidance map in colours and the outline of where it may change',
  compare: 'The film', edit: 'The film',
}
const addresses = {}

// Put a picture in the place of another; the view that needs it can then be chosen.
export function put(name, blob) {
  drop(name)
  addresses[name] = URL.createObjectURL(blob)
  for (const view of name === 'edit' ? ['edit', 'compare'] : [name]) choice(view).disabled = false
}

export function drop(name) {
  if (addresses[name]) URL.revokeObjectURL(addresses[name])
  delete addresses[name]
  for (const view of name === 'edit' ? ['edit', 'compare'] : [name]) choice(view).disabled = true
}

const choice = view => document.querySelector(`[name=view][value=${view}]`)
export const has = name => name in addresses
export const address = name => addresses[name]

export function open(width, height) {
  find('drop').hidden = true
  find('pictures').hidden = find('below').hidden = false
  find('frame').style.setProperty('--ratio', width / height)
}

export function close() {
  for (const name of ['original', 'map', 'edit']) drop(name)
  find('before').removeAttribute('src')
  find('drop').hidden = false
  find('pictures').hidden = find('below').hidden = true
}

export function show(view) {
  choice(view).checked = true
  const edited = view === 'compare' || view === 'edit'
  find('before').src = view === 'map' ? addresses.map : addresses.original
  find('before').alt = ALTS[view]
  find('after').hidden = !edited
  if (edited) {
    find('after').src = addresses.edit
    find('after').alt = 'The edited film, synthetic'
  }
  find('frame').style.setProperty('--cut', view === 'compare' ? `${find('slider').value}%` : '0%')
  find('frame').classList.toggle('comparing', view === 'compare')
  find('divider').hidden = find('sliding').hidden = view !== 'compare'
  find('stamp').hidden = !edited
  find('shown').textContent = NAMES[view]
}

function slide() {
  const value = Number(find('slider').value)
  find('frame').style.setProperty('--cut', `${value}%`)
  find('slider').setAttribute('aria-valuetext', `the film on the left ${value} percent, the edit on the rest`)
}

for (const input of document.querySelectorAll('[name=view]')) input.addEventListener('change', () => show(input.value))
find('slider').addEventListener('input', slide)
const drag = event => {
  if (!event.buttons || !find('frame').classList.contains('comparing')) return
  const box = find('frame').getBoundingClientRect()
  find('slider').value = Math.round(100 * (event.clientX - box.left) / box.width)
  slide()
}
for (const kind of ['pointerdown', 'pointermove']) find('frame').addEventListener(kind, drag)
