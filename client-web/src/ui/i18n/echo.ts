/** Words about echo and howl: what it is, what was done, what to do. */
export const zhEcho = {
  what: { echo: '有回声', howl: '有啸叫' },
  mark: { ducked: '{what} · 已调小', muted: '{what} · 已静音' },
  room: {
    echo: '有回声，话筒已调小', howl: '有啸叫，音箱已调小', muted: '{what}，话筒已关，{n} 秒后再试',
    todo: '请把音箱调小一点，并关掉教室里其他设备的声音',
  },
  home: {
    echo: '有回声，话筒已调小', howl: '有啸叫，声音已调小', muted: '{what}，话筒已关，{n} 秒后再试',
    todo: '请把音量调小，或者戴上耳机',
  },
  desk: {
    ducked: { echo: '本班有回声：教室话筒已调小', howl: '本班有啸叫：教室音箱已调小' },
    muted: { echo: '本班有回声：话筒已关，{n} 秒后再试', howl: '本班有啸叫：话筒已关，{n} 秒后再试' },
    of: '{name}：{text}',
    todo: '主讲的声音从教室话筒传了回去。请把音箱调小，并关掉其他设备的声音。',
    todoHowl: '话筒和音箱在互相放大。请把音箱调小，或让话筒离音箱远一些。',
    suspect: '可能是「{name}」的设备在教室里放声音。', off: '关掉它的声音', again: '再试一次',
    switchedOff: '「{name}」的设备不再出声，也不收声', on: '恢复声音',
  },
  lead: { ducked: '已调小', muted: '话筒已关', todo: '已告诉本班辅讲：调小音箱，或关掉另一台设备的声音' },
  soundOff: { title: '这台设备的声音已关闭', text: '老师看到你在教室里：声音从教室的音箱出来，这里不再出声。' },
} as const

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const enEcho: Words<typeof zhEcho> = {
  what: { echo: 'Echo', howl: 'Howl' },
  mark: { ducked: '{what} · turned down', muted: '{what} · muted' },
  room: {
    echo: 'Echo: the microphone was turned down', howl: 'Howl: the loudspeaker was turned down', muted: '{what}: microphone off, tried again in {n} s',
    todo: 'Turn the loudspeaker down and switch off the sound of other devices in the room',
  },
  home: {
    echo: 'Echo: your microphone was turned down', howl: 'Howl: the sound was turned down', muted: '{what}: microphone off, tried again in {n} s',
    todo: 'Turn the volume down, or use headphones',
  },
  desk: {
    ducked: { echo: 'Echo in my class: its microphone was turned down', howl: 'Howl in my class: its loudspeaker was turned down' },
    muted: { echo: 'Echo in my class: microphone off, tried again in {n} s', howl: 'Howl in my class: microphone off, tried again in {n} s' },
    of: '{name}: {text}',
    todo: "The lead's voice comes back by the room's microphone. Turn the loudspeaker down and switch off the sound of other devices.",
    todoHowl: 'Microphone and loudspeaker amplify each other. Turn the loudspeaker down, or move the microphone away from it.',
    suspect: 'It may be the device of "{name}", playing in the room.', off: 'Switch its sound off', again: 'Test again',
    switchedOff: 'The device of "{name}" neither plays nor picks up sound', on: 'Sound on again',
  },
  lead: { ducked: 'turned down', muted: 'microphone off', todo: 'Its assistant was told: loudspeaker down, or the second device silent' },
  soundOff: { title: 'The sound of this device is off', text: 'Your teacher sees you in the classroom: sound comes from its loudspeaker, and not from here.' },
}
