import type { RoomToolMessages, StudioMessages, ToolMessages } from './zh'

export const toolsEn: ToolMessages = {
  slides: {
    label: 'Slides {title}, page {page} of {pages}', loading: 'Opening the slides…', failed: 'The slides do not open',
    failedTodo: 'Sound and picture go on.', documents: 'Slides', bring: 'Upload a PDF', hide: 'Show no slides', empty: 'No slides yet. Rooms keep a copy of your PDF, so pages turn even on a bad line.',
    untitled: 'Untitled', pages: '{n} pages', sending: 'Uploading {name}…', back: 'Back', on: 'Next', pen: 'Pen', wipe: 'Wipe page', color: 'Colour',
    colors: { red: 'Red', blue: 'Blue', green: 'Green', black: 'Black', yellow: 'Marker' },
  },
  countdown: { left: 'Time left', groups: 'Group work', over: 'Time is up' },
  quiz: {
    kind: { single: 'One answer', multiple: 'Several answers', judge: 'True or false', number: 'A number' },
    yes: 'True', no: 'False', right: 'Right', wrong: 'Wrong', answer: 'Answer', isRight: 'right',
    question: 'Question {n}', result: 'The whole lesson', none: 'No answers yet', people: '{n}', closed: 'Closed', open: 'Open',
    homes: 'Home', missing: 'No tally yet: {rooms}', allTold: 'All rooms have told',
    hold: 'Show hands or cards; your assistant counts', pick: 'Tap your answer', left: '{time} left',
  },
  pairing: { title: 'Code for the assistant\'s tablet', how: 'Open this site on the tablet and type these six digits' },
  pulse: {
    title: 'Signals', none: 'No signals', of: '{n}/{of} rooms', back: 'Got it', rooms: '{rooms}',
    kind: {
      cannot_hear: 'Can\'t hear', cannot_see: 'Can\'t see', slower: 'Slower', faster: 'Faster',
      unclear: 'Unclear', done: 'Done', ready: 'Ready', help: 'Need help',
    },
  },
}

export const studioEn: StudioMessages = {
  side: 'Hands, signals and staff', minutes: '{n} min', seconds: '{n} s',
  out: { on: 'Your sound goes out', off: 'Microphone off: nobody hears you', none: 'No microphone: nobody hears you' },
  hands: 'Hands', noHands: 'No hands up', handsOf: 'Hands {n}', lower: 'Lower', lowerAll: 'Lower all', approve: 'Let through', held: 'Waits for the assistant',
  fair: 'Fair turn: {name}', fairNobody: 'No room is waiting', waited: '{n}′ waiting',
  mute: 'Mute', unmute: 'Unmute', muted: 'Muted', muteAll: 'Mute all', spotlight: 'Enlarge', moveLeft: 'Move forward', moveRight: 'Move back',
  notes: {
    title: 'Staff notes', private: 'Pupils do not see this', none: 'No notes yet', me: 'Me', to: '{room}', seen: 'seen by {n}', ack: 'Seen',
    whom: 'To whom', all: 'All staff', write: '40 characters', send: 'Send',
  },
  plan: {
    title: 'Plan', none: 'This lesson has no plan.', next: 'Next', due: 'Now', done: 'Done', byHand: 'By hand',
    overrun: '{n} min over', over: 'over', who: { lead: 'Lead', co_lead: 'Co-lead', assistant: 'Assistants', all: 'All' },
  },
  teaching: {
    offered: 'Please take the lesson', needed: '{name} is away, please take over', away: '{name} is away', waiting: 'Offered to {to}, waiting',
    recap: 'You were away for {time}; the lesson went on', page: 'now at page {page}', mine: 'You are teaching now', others: '{name} is teaching now', take: 'Take over', back: 'Hand back', withdraw: 'Withdraw',
  },
  panel: { close: 'Close' },
  quiz: {
    title: 'Quiz', kind: 'Kind', text: 'Question', textHint: 'May stay empty: it is on the slide', options: 'Options (tap the letters that are right)', option: 'Option {mark}', optionHint: 'Empty: cards only',
    isRight: '{mark} is right', more: 'Add one', fewer: 'Remove one', seconds: 'Time', open: 'No limit', send: 'Ask', close: 'Close', release: 'Show result',
    next: 'Next question', toLast: 'Last question', released: 'Shown to all', told: '{n}/{of} rooms told', answered: '{n} answered', byRoom: 'Answers by room', room: 'Room',
    warning: 'Counted {n}, present {present}', differs: 'differs',
  },
  timer: { title: 'Timer', label: 'What for', hint: 'Such as: think alone', note: 'Starts at once on all screens; choosing again starts anew.', cancel: 'Cancel timer' },
  group: {
    title: 'Groups', task: 'Task', taskHint: 'Such as: two problems a group', length: 'Time', start: 'Start group work', end: 'Back to the lesson', note: 'Clears the stage and closes microphones; assistants run their rooms.',
    listen: 'Listen in', listening: 'Listening', listenHint: 'Click a class on the wall to listen in, two at most. It is noted, and the staff of that room see it.',
  },
  sound: {
    title: 'Sound check', short: 'Sound', intro: 'Hears every room once, at most 5 seconds each. {n} rooms are here.', start: 'Start sound check', restart: 'Check again', again: 'Again',
    now: 'Listening · {n} s left', level: 'Level', coming: 'Connecting…', comes: 'Sound comes', silent: 'Silent, ask them to speak', yes: 'I hear you', no: 'Not heard', count: '{n}/{of} heard',
    result: { waiting: 'Waiting', now: 'Listening', heard: 'Heard', not_heard: 'Not heard' },
  },
  roll: { home: 'Home', title: 'Roll call', short: 'Roll', class: 'Class', present: 'Here', absent: 'Absent', late: 'Late', notYet: 'Not called yet', sum: '{n}/{of} called' },
  observers: { title: 'Observers', chip: '{n} observing', none: 'Nobody is observing' },
  rules: { title: 'Rules', approval: 'Assistants let hands from home through', chat: 'Public chat is on' },
  chat: { title: 'Chat', sub: 'Seen by all', off: 'Public chat is off. When it is on, home learners and staff can write.', turnOn: 'Turn chat on', turnOff: 'Turn off', none: 'No messages yet', write: 'To everybody' },
  handOver: { title: 'Hand over', short: 'Hand over', intro: 'Ask another lead to take the lesson. It changes hands once they agree; you can always take it back.', notMine: '{name} is teaching now.', nobody: 'This lesson has no co-lead.', offer: 'Offer' },
  help: {
    title: 'Keys', short: 'Help', next: 'Next fair room', off: 'Last one off stage', clear: 'Clear stage', muteAll: 'Mute all', turn: 'Turn pages', pen: 'Pen', slides: 'Slides',
    quiz: 'Quiz', timer: 'Timer', group: 'Group work', sound: 'Sound check', heard: 'Sound check: I hear you', roll: 'Roll call and rules', note: 'Note to assistants', chat: 'Chat', handOver: 'Hand over',
    mic: 'Own microphone', camera: 'Own camera', share: 'Share screen', devices: 'Devices', tile: 'Call the chosen class on or off', close: 'Close the tool',
  },
}

export const roomToolsEn: RoomToolMessages = {
  group: 'Group work', groupNoTask: 'Start as your teacher has told you', groupLeft: 'Time left', quizWait: 'Closed, the result comes',
  moment: 'One moment, the teacher will be back', soundTurn: 'Please say something', soundTurnSub: 'The lead teacher is listening to our room',
  companion: 'Second screen: the sound is on your other device, press A to have it here',
}
