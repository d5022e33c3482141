import { texts } from '../shell/language.tsx';

export const reportButtonTexts = texts(
  {
    title: 'Credit report', lead: 'Everything this answer disclosed, signed with your institution\'s key on this machine, with the platform\'s receipt as its proof. It shows original values in clear: keep it as you keep the data itself.',
    page: 'Report to print (HTML)', pageHint: 'To print it or save it as PDF, open the downloaded page; it needs no network and holds the signed file.', file: 'Signed file (JSON)', made: 'The report is downloaded.',
  },
  {
    title: '信用报告', lead: '本次结果披露的全部内容,在本机用本机构密钥签名,并附平台回执作为证明。报告以明文显示原值,请按数据本身的要求保管。',
    page: '可打印的报告(HTML)', pageHint: '如需打印或另存为 PDF,请打开下载的页面;页面无需网络,并内含签名文件。', file: '签名文件(JSON)', made: '报告已下载。',
  },
);
