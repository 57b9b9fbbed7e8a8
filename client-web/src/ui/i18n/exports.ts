/** Words of exporting lessons. */
type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const zhExports = {
  title: '导出这节课', lead: '做成一个文件，可以拷走、存档或在没有网络的教室播放。', choose: '导出成什么',
  choices: { auto: '自动', lead: '老师为主', screen: '只看课件', side: '并排', zip: '全部原始文件' },
  what: {
    auto: '有共享或课件时放大它，老师在角上', lead: '老师始终是大画面，其余在角上', screen: '只有课件或共享，没有小画面', side: '左边主画面，右边其余的人', zip: '每一路录像、课件、字幕、附件和说明，打成一个压缩包',
  },
  video: '一个视频文件（MP4，1280×720）', archive: '一个压缩包（ZIP）', start: '开始导出', starting: '正在提交…',
  made: '导出记录', empty: '还没有导出。做好的文件保留 24 小时，期间可以反复下载。', loading: '正在读取…', again: '重试',
  kinds: { mp4: '视频' },
  state: { waiting: '排队中', running: '正在导出', done: '已完成', failed: '没有成功', cancelled: '已取消' },
  waiting: '前面还有别的导出，轮到时自动开始。', percent: '{n}%', left: '大约还要 {n}', progress: '{what}的进度',
  download: '下载', cancel: '取消', dismiss: '从列表中去掉', until: '{day} 前可以下载', leave: '可以离开这一页，导出会继续。',
  ready: '{what}已经导出，可以下载。', failed: '{what}没有导出成功。',
} as const

export const enExports: Words<typeof zhExports> = {
  title: 'Export this lesson', lead: 'Make one file of it: to take along, to archive, or to play in a classroom without network.', choose: 'What to make of it',
  choices: { auto: 'Automatic', lead: 'Teacher large', screen: 'Slides only', side: 'Side by side', zip: 'All original files' },
  what: {
    auto: 'Slides or a shared screen are large, the teacher in the corner', lead: 'The teacher is always large, the rest in the corner', screen: 'Slides or the shared screen, no small pictures', side: 'The main picture left, everybody else right', zip: 'Every recorded track, slides, captions, attachments and a description in one archive',
  },
  video: 'One video file (MP4, 1280×720)', archive: 'One archive (ZIP)', start: 'Start the export', starting: 'Being sent…',
  made: 'Exports', empty: 'No exports yet. A file is kept for 24 hours and can be downloaded as often as you like.', loading: 'Loading…', again: 'Try again',
  kinds: { mp4: 'Video' },
  state: { waiting: 'Waiting', running: 'Exporting', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' },
  waiting: 'Others are being exported; it begins by itself when it is its turn.', percent: '{n}%', left: 'about {n} left', progress: 'Progress of {what}',
  download: 'Download', cancel: 'Cancel', dismiss: 'Remove from the list', until: 'Can be downloaded until {day}', leave: 'You may leave this page; the export goes on.',
  ready: '{what} is ready to be downloaded.', failed: '{what} was not exported.',
}
