package demonstration

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/google/uuid"
)

// seed is the one seed of all demonstration data.
const seed = "citizencloud-1"

// Number is a well mixed number that depends on the seed, the topic and the
// key alone.
func Number(topic string, key any) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, seed, "\x00", topic, "\x00", key)
	n := h.Sum64()
	// splitmix64's finisher: fnv alone leaves the low bits poor
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// idEpoch is the millisecond that demonstration IDs begin at (2025-01-01).
const idEpoch = 1_735_689_600_000

// ID is a UUIDv7 for thing i of the topic; later numbers sort after earlier ones.
func ID(topic string, i int) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(idEpoch+int64(i))<<16)
	a, b := Number(topic, i), Number(topic+"/b", i)
	binary.BigEndian.PutUint16(id[6:8], 0x7000|uint16(a&0x0fff))
	binary.BigEndian.PutUint64(id[8:], b)
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Pick chooses one of the choices.
func Pick[T any](choices []T, topic string, key any) T {
	return choices[int(Number(topic, key)%uint64(len(choices)))]
}

var (
	surnames = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕"}
	given    = []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞", "平", "刚", "桂英", "文", "辉", "玲", "建华", "志强", "晓燕", "雨桐", "子涵", "浩然", "欣怡", "梓萱", "宇轩", "思远", "佳琪", "国庆", "玉兰", "海燕", "春梅"}
)

func name(n uint64) string {
	return surnames[n%uint64(len(surnames))] + given[n/64%uint64(len(given))]
}
