"""How columns are called elsewhere: the words of other systems for what Fairlead knows.

A meaning is the last part of a field's key (`account` of `opportunity.account`); a target whose key is different
names its meaning itself. Words are compared folded: case, spaces, `_`, `-` and `*` do not matter.
"""

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, str]

# Comma-separated words per meaning. Those of a subject win over the common ones.
_COMMON: Final[Words] = {
    "external_id": "id,record id,uuid,guid,external id,编号,标识,外部编号,系统编号,数据id,ref,reference",
    "owner": "owner,owner id,负责人,所有人,拥有者,归属人,销售负责人,销售,销售员,销售人员,业务员,跟进人,客户经理,sales agent,"
    "sales person,salesperson,sales rep,sales representative,rep,account manager,account executive,assigned to,"
    "assigned user,assigned user name,user id,user,responsible,ar",
    "description": "description,备注,描述,说明,备注信息,remark,remarks,notes,note,note content,comment,comments,detail,details",
    "created_at": "created at,created date,create date,created,date created,create time,created on,add time,created time,"
    "创建时间,创建日期,录入时间,新建时间",
    "updated_at": "updated at,last modified date,modified date,date modified,last modified,update time,updated,write date,"
    "更新时间,修改时间,最后修改时间,最近更新时间",
    "created_by": "created by,created by id,create uid,creator,创建人,录入人",
    "updated_by": "modified by,last modified by id,last modified by,write uid,修改人",
    "source": "source,lead source,deal source,account source,来源,客户来源,线索来源,商机来源,渠道来源,origin,source id,channel",
    "phone": "phone,phone number,telephone,tel,office phone,work phone,电话,座机,固定电话,联系电话,电话号码,公司电话",
    "mobile": "mobile,mobile phone,mobile phone number,cell,cell phone,手机,手机号,手机号码,移动电话",
    "email": "email,e-mail,email address,mail,email from,email work,电子邮箱,邮箱,电子邮件,邮件,邮箱地址",
    "website": "website,website url,url,web,homepage,网址,网站,官网,公司网址",
    "address": "address,street address,street,primary address street,billing street,mailing street,visitor address,"
    "visitor adress,地址,详细地址,公司地址,联系地址,office location",
    "city": "city,primary address city,billing city,mailing city,town,城市,市",
    "province": "state,province,state/region,region state,primary address state,billing state,mailing state,省份,省",
    "postal_code": "postal code,postcode,zip,zip code,postalcode,primary address postalcode,billing postal code,邮编,邮政编码",
    "country": "country,primary address country,billing country,mailing country,country id,国家,国家/地区",
    "industry": "industry,sector,customer industry,行业,客户行业,所属行业",
    "next_contact_at": "next contact,next contact date,next activity date,next call,下次联系时间,下次跟进时间,下次回访时间",
    "last_activity_at": "last activity date,last contact,last contacted,最近跟进时间,最后跟进时间,最近联系时间",
    "team": "team,sales team,team id,regional office,office,department team,territory,团队,部门,所属部门,销售团队,区域",
    "currency": "currency,currency iso code,currency code,deal currency,币种,货币,币别",
    "active": "active,is active,enabled,启用,是否启用,有效",
}
_SUBJECTS: Final[Mapping[str, Words]] = {
    "opportunity": {
        "external_id": "opportunity id,deal id,opportunity number,商机编号,商机id",
        "name": "name,title,opportunity,opportunity name,deal,deal name,deal title,subject,topic,project,project name,商机名称,"
        "商机,项目名称,机会名称,商机标题,销售机会",
        "account": "account,account name,account id,customer,customer name,company,company name,client,organization,"
        "organization name,organisation,partner name,客户,客户名称,公司,公司名称,企业名称,单位名称,所属客户,关联客户",
        "process": "pipeline,sales pipeline,process,sales process,business type,商机状态组,销售流程,管道,商机类型组",
        "stage": "stage,stage name,deal stage,sales stage,pipeline stage,phase,opportunity stage,阶段,商机阶段,销售阶段,"
        "当前阶段,商机状态",
        "state": "status,deal status,state,outcome,result,opportunity result,状态,结果,输赢",
        "amount": "amount,value,deal value,opportunity amount,close value,planned revenue,revenue,total,金额,商机金额,预计金额,"
        "预计销售金额,合同额,预计成交金额,销售金额",
        "expected_revenue": "expected revenue,weighted amount,weighted value,加权金额",
        "probability": "probability,win probability,probability %,赢率,成交概率,可能性",
        "expected_close_on": "expected close date,expected close,estimated close date,deadline,date deadline,forecast close date,"
        "预计成交日期,预计成交时间,预计签约日期,预计签单日期,预计结单日期",
        "closed_at": "close date,closed date,closed on,won time,won date,close time,成交日期,结单日期,赢单时间,签约日期",
        "opened_at": "engage date,open date,opened,start date,opened at,live date,开始日期,立项日期,商机日期",
        "stage_entered_at": "last stage change date,last stage change,date entered current stage,stage entered,进入阶段时间",
        "lost_reason": "lost reason,loss reason,closed lost reason,reason lost,输单原因,丢单原因,失败原因",
        "next_step": "next step,next steps,下一步,下一步计划",
        "product": "product,product name,products,产品,产品名称,意向产品",
        "contact": "contact,contact name,contact person,primary contact,联系人,客户联系人,联系人姓名",
        "contact_email": "associated contact email,contact email,contact email work,contact email home,email",
        "owner": "deal owner,opportunity owner,商机负责人",
        "contact_phone": "contact phone,phone,电话",
        "competitor": "competitor,competitors,main competitors,competitor type,竞争对手,竞品",
        "type": "type,deal type,opportunity type,type of deal,商机类型,业务类型",
        "forecast_category": "forecast category name,forecast category,预测类别",
        "priority": "priority,优先级,opportunity rating",
        "segment": "customer segment,segment,account customer segment,细分市场",
    },
    "account": {
        "external_id": "account id,company id,customer id,客户编号,客户id",
        "name": "name,account,account name,company,company name,customer,customer name,organization,organization name,client,"
        "client name,partner name,code name,客户名称,客户,公司名称,公司,企业名称,单位名称,客户全称",
        "parent": "parent,parent id,parent account,parent company,subsidiary of,上级客户,母公司,上级公司,集团",
        "tier": "tier,level,customer level,customer tier,rating,customer priority,客户级别,客户等级,级别,等级",
        "revenue": "revenue,annual revenue,turnover,年收入,营业额,年营业额",
        "employees": "employees,number of employees,employee count,headcount,company size,员工数,人数,人员规模,公司规模",
        "founded_year": "year established,founded,founded year,year started,成立年份,成立时间",
        "domain": "domain,company domain name,company domain,email domain,域名",
        "credit_code": "统一社会信用代码,信用代码,税号,tax id,vat,vat number,duns number",
        "type": "type,account type,customer type,客户类型,客户性质",
        "state": "status,成交状态,客户状态",
        "owner": "account owner,company owner",
    },
    "contact": {
        "external_id": "contact id,联系人编号",
        "name": "name,full name,contact,contact name,person,person name,姓名,联系人,联系人姓名,名字",
        "first_name": "first name,given name,名",
        "last_name": "last name,surname,family name,姓",
        "account": "account,account name,account id,company,company name,customer,customer name,organization name,"
        "associated company,associated company ids,associated company domain,客户,客户名称,公司,公司名称,所属客户",
        "title": "title,job title,position,function,职务,职位,岗位",
        "department": "department,部门,所在部门",
        "gender": "gender,sex,性别",
        "salutation": "salutation,title id,称谓,称呼",
        "is_decision_maker": "是否关键决策人,关键决策人,是否决策人,decision maker,is decision maker,decision",
        "birthday": "birthdate,birthday,date of birth,生日,出生日期",
        "owner": "contact owner",
        "state": "lifecycle stage,lead status,status,状态",
        "other_email": "email home,non primary e-mails,other email,secondary email,其他邮箱",
        "home_phone": "home phone,家庭电话",
    },
    "lead": {
        "external_id": "lead id,mql id,线索编号",
        "name": "name,lead,lead name,lead title,opportunity name,线索名称,线索,线索标题",
        "account": "company,account name,company name,organization name,partner name,customer,公司,公司名称,客户名称",
        "contact": "contact name,person name,full name,联系人,姓名",
        "first_name": "first name,名",
        "last_name": "last name,姓",
        "title": "job title,title,职务,职位",
        "department": "department,部门",
        "salutation": "salutation,称谓",
        "state": "status,lead status,stage,状态,线索状态",
        "amount": "opportunity amount,amount,value",
        "tier": "level,rating,客户级别,级别",
        "first_contact_on": "first contact date,首次联系日期",
        "is_converted": "converted,is converted,是否转化",
        "owner": "lead owner",
        "home_phone": "home phone",
        "other_phone": "other phone",
        "other_email": "non primary e-mails",
    },
    "contract": {
        "number": "contract number,contract no,number,合同编号,合同号,编号",
        "name": "name,contract name,合同名称,合同标题",
        "account": "account,account name,customer,customer name,company,客户名称,客户,甲方",
        "opportunity": "opportunity,opportunity name,deal,deal name,商机名称,商机,关联商机",
        "signed_on": "signed date,date signed,signature date,order date,签约日期,签订日期,签署日期,下单时间,合同签订时间",
        "amount": "amount,value,contract amount,contract value,合同金额,金额,合同总额",
        "start_on": "start date,contract start,合同开始时间,开始日期,生效日期",
        "end_on": "end date,contract end,expiry date,合同到期时间,结束日期,到期日期",
        "customer_signer": "customer signer,客户签约人,甲方签约人",
        "company_signer": "company signer,公司签约人,我方签约人",
    },
    "product": {
        "name": "name,product,product name,产品名称,产品,品名",
        "code": "code,product code,sku,item code,产品编码,产品编号,产品代码,货号",
        "category": "category,product category,series,product family,family,产品类别,产品分类,产品系列,类别",
        "price": "price,list price,sales price,unit price,standard price,product price,标准价格,单价,价格,销售价",
        "unit": "unit,uom,单位,计量单位",
        "active": "是否上架,上架,active,is active,on sale",
        "description": "产品描述,product description",
        "currency": "product currency",
    },
    "receivable": {
        "number": "number,payment number,回款编号,编号",
        "account": "customer,customer name,客户名称",
        "contract": "contract,contract number,合同编号",
        "received_on": "date,payment date,回款日期",
        "method": "method,payment method,回款方式",
        "amount": "amount,回款金额,金额",
        "instalment": "instalment,installment,期数",
    },
    "receivable_plan": {
        "account": "customer,customer name,客户名称",
        "contract": "contract,contract number,合同编号",
        "amount": "amount,planned amount,计划回款金额,金额",
        "due_on": "due date,planned date,计划回款日期",
        "method": "method,计划回款方式",
        "remind_days": "reminder days,提前几日提醒",
        "attachment": "attachment,附件",
    },
    "stage_history": {
        "external_id": "history id",
        "opportunity": "opportunity id,deal id,opportunity,商机编号,商机名称",
        "to_stage": "stage name,stage,new stage,to stage,阶段,新阶段",
        "from_stage": "from opportunity stage name,old stage,from stage,previous stage,原阶段",
        "changed_at": "created date,changed at,change date,date changed,变更时间",
        "changed_by": "created by id,changed by,edited by,变更人",
        "amount": "amount,金额",
        "previous_amount": "prev amount",
        "probability": "probability,赢率",
        "expected_revenue": "expected revenue",
        "expected_close_on": "close date,预计成交日期",
        "previous_close_on": "prev close date",
        "forecast_category": "forecast category",
        "previous_forecast_category": "from forecast category",
    },
    "person": {
        "name": "name,full name,sales agent,agent,employee,user,姓名,员工姓名,销售员",
        "username": "username,user name,login,账号,用户名,登录名",
        "manager": "manager,supervisor,reports to,上级,直属上级,经理,主管",
        "team": "regional office,team,office,部门,团队,区域",
    },
    "activity": {
        "external_id": "activity id",
        "kind": "activity type,type,类型,跟进方式",
        "subject": "activity subject,subject,call/meeting title/subject,主题",
        "done_at": "activity date,date,跟进时间",
        "due_on": "activity due date,due date,task due date",
        "outcome": "call outcome,meeting outcome,outcome,结果",
        "owner": "activity owner",
        "contact_email": "associated contact email",
        "description": "notes/description,跟进内容",
    },
}


def words_for(subject: str) -> dict[str, tuple[str, ...]]:
    """The words per meaning for one kind of subject; an unknown kind gets the common ones."""
    own = _SUBJECTS.get(subject, {})
    meanings = dict.fromkeys([*own, *_COMMON])
    return {
        meaning: tuple(
            dict.fromkeys(",".join(filter(None, (own.get(meaning), _COMMON.get(meaning)))).split(","))
        )
        for meaning in meanings
    }


def own_words(subject: str) -> dict[str, tuple[str, ...]]:
    """Only the words that belong to this kind of subject: they win over the common ones."""
    return {meaning: tuple(words.split(",")) for meaning, words in _SUBJECTS.get(subject, {}).items()}


def subjects() -> tuple[str, ...]:
    return tuple(_SUBJECTS)
