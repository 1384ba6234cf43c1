"""Words typed in pinyin: where their syllables end, and whether a name really sounds so.

A search key holds the sounds of a name without gaps, so `zhang` stands in that of 站改造 (zhan gai zao) too. Whoever
types whole syllables means these: the word then has to begin with a syllable of the name, and what it says of the last
one has to be a syllable itself. The start of a longer one still fits (zha finds 张), and a word that is not finished
(zhangj) is compared as it stands.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from fairlead.common.text import readings_in

SHORTEST: Final = 3  # what is shorter are initials as often as sounds
_ALL: Final = """
a ai an ang ao ba bai ban bang bao bei ben beng bi bian biao bie bin bing bo bu ca cai can cang cao ce cei
cen ceng cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo
ci cong cou cu cuan cui cun cuo da dai dan dang dao de dei den deng di dia dian diao die din ding diu dong
dou du duan dui dun duo e ei en eng er fa fan fang fei fen feng fiao fo fou fu ga gai gan gang gao ge gei
gen geng gong gou gu gua guai guan guang gui gun guo ha hai han hang hao he hei hen heng hong hou hu hua
huai huan huang hui hun huo ji jia jian jiang jiao jie jin jing jiong jiu ju juan jue jun ka kai kan kang
kao ke kei ken keng kong kou ku kua kuai kuan kuang kui kun kuo la lai lan lang lao le lei len leng li lia
lian liang liao lie lin ling liu lo long lou lu luan lun luo lv lve ma mai man mang mao me mei men meng mi
mian miao mie min ming miu mo mou mu na nai nan nang nao ne nei nen neng ni nia nian niang niao nie nin ning
niu nong nou nu nuan nun nuo nv nve o ou pa pai pan pang pao pei pen peng pi pian piao pie pin ping po pou
pu qi qia qian qiang qiao qie qin qing qiong qiu qu quan que qun ran rang rao re ren reng ri rong rou ru rua
ruan rui run ruo sa sai san sang sao se sen seng sha shai shan shang shao she shei shen sheng shi shou shu
shua shuai shuan shuang shui shun shuo si song sou su suan sui sun suo ta tai tan tang tao te tei teng ti
tian tiao tie ting tong tou tu tuan tui tun tuo wa wai wan wang wei wen weng wo wu xi xia xian xiang xiao
xie xin xing xiong xiu xu xuan xue xun ya yan yang yao ye yi yin ying yo yong you yu yuan yue yun za zai zan
zang zao ze zei zen zeng zha zhai zhan zhang zhao zhe zhei zhen zheng zhi zhong zhou zhu zhua zhuai zhuan
zhuang zhui zhun zhuo zi zong zou zu zuan zui zun zuo
"""
SYLLABLES: Final = frozenset(_ALL.split())
_LONGEST: Final = max(map(len, SYLLABLES))


@lru_cache(maxsize=1024)
def is_whole(word: str) -> bool:
    """Whether the word is made of complete syllables and nothing else."""
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()):
        return False
    ends = {0}
    for end in range(1, len(word) + 1):
        if any(
            begin in ends and word[begin:end] in SYLLABLES for begin in range(max(0, end - _LONGEST), end)
        ):
            ends.add(end)
    return len(word) in ends


def sounds(key: str, word: str) -> bool:
    """Whether the name behind this search key holds a word of whole syllables: by its letters, its initials, or by
    syllables of its own."""
    spoken = readings_in(key)
    for part in key.split(" "):
        if word in part:
            syllables = spoken.get(part)
            if syllables is None or _is_said(syllables, word):
                return True
    return False


def _is_said(syllables: tuple[str, ...], word: str) -> bool:
    for start in range(len(syllables)):
        rest = word
        for syllable in syllables[start:]:
            if len(rest) <= len(syllable):
                if syllable.startswith(rest) and (rest == syllable or rest in SYLLABLES):
                    return True
                break
            if not rest.startswith(syllable):
                break
            rest = rest[len(syllable) :]
    return False
